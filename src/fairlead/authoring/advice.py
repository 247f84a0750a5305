"""What to do about mistakes in packages, where the meaning of the code does not say it already, and what they look like.

The examples are lines of the package that `fairlead package init --kind machine` makes: a test puts each wrong one in the place
of the right one there, and has the linter tell the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ADVICE", "Advice", "Example"]


@dataclass(frozen=True, slots=True)
class Example:
    """Lines as they are wrong, and as they are right."""

    wrong: str
    right: str


@dataclass(frozen=True, slots=True)
class Advice:
    remedy: str
    example: Example | None = None


ADVICE: Final[Mapping[str, Advice]] = {
    "hot-version": Advice("Begin the template with a line such as heat_template_version: 2018-08-31."),
    "hot-shape": Advice("Look at the indentation; resources is a map, and each of them has a type."),
    "hot-top": Advice(
        "Keep one template beside the directory nested/, and move those that are types of resources there."
    ),
    "hot-file-missing": Advice(
        "Put the file into the directory nested/, or correct the type; upper and lower case count."
    ),
    "hot-file-unused": Advice("Take the file away, or use its name as the type of a resource."),
    "hot-unknown-flavour": Advice("Name the directory after the flavour_id of one of the descriptor's flavours."),
    "hot-vdu-missing": Advice("Call the resource of the type OS::Nova::Server as the VDU is called in the descriptor."),
    "hot-refers-to-vdu": Advice("Refer to what the VDU needs from within its own template, or put it into a group."),
    "script-not-run": Advice(
        "Have the machine do it by itself at its start (user data). Whoever knows that it can be done without gives the "
        "additional parameter fairlead-package-scripts: skip."
    ),
    "yaml-syntax": Advice(
        "Look at that line and the one above: indentation, a missing colon or quote, a tab.",
        Example("        name machine", "        name: machine"),
    ),
    "yaml-too-large": Advice("Take large data out of the descriptor and into artifacts."),
    "yaml-alias": Advice("Put the anchor (&name) before the alias (*name), and outside of what the alias stands in."),
    "yaml-key": Advice("Write the key as one word; put it in quotes if it is a number or a boolean."),
    "yaml-tag": Advice("Take the tag (!name) away."),
    "duplicate-key": Advice("Keep one of the two; where both are meant, give the second a name of its own."),
    "too-many-problems": Advice("Correct the first ones and look again; many may have one cause."),
    "not-tosca": Advice("See that the entry in TOSCA.meta names the descriptor."),
    "tosca-version": Advice(
        "Write tosca_simple_yaml_1_3 for SOL001 3.3.1 and later, _1_2 before.",
        Example("tosca_definitions_version: tosca_simple_yaml_2_0", "tosca_definitions_version: tosca_simple_yaml_1_3"),
    ),
    "unknown-key": Advice("Correct its spelling, or its indentation: it may belong one level up or down."),
    "missing-key": Advice("Add the key."),
    "wrong-shape": Advice("Look for a missing - (a list), or for an indentation that makes a map of it."),
    "file-missing": Advice("Add the file, or correct the path; upper and lower case count."),
    "import-outside-package": Advice("Put the file into the package, and import it by its path from this file."),
    "import-from-root": Advice("Write the path from the importing file."),
    "unknown-type": Advice(
        "Correct the name, or import the file that defines the type.",
        Example("      type: tosca.nodes.nfv.Vdu.Computer", "      type: tosca.nodes.nfv.Vdu.Compute"),
    ),
    "type-loop": Advice("Derive one of the types in the circle from another one."),
    "duplicate-type": Advice("Give one of them another name, or import one file only."),
    "sol001-drift": Advice(
        "Take the file out of the package, or replace it by ETSI's; give types of your own names of your own."
    ),
    "unknown-property": Advice(
        "Correct its spelling; where it is right, see for which version of SOL001 the type is.",
        Example(
            "            virtual_cpu:\n              num_virtual_cpus: 1",
            "            virtual_cpu:\n              num_virtual_cpu: 1",
        ),
    ),
    "undeclared-property": Advice("Declare it in the VNF's node type, with its type."),
    "missing-property": Advice("Add the property."),
    "wrong-type": Advice(
        "Give a value of that type; a list has [ ] or lines with -.",
        Example("          max_number_of_instances: three", "          max_number_of_instances: 3"),
    ),
    "wrong-unit": Advice(
        "Write a number, a blank and a unit: 2 GiB, 500 MB, 10 s, 1 Gbps.",
        Example("virtual_mem_size: 512 megs", "virtual_mem_size: 512 MiB"),
    ),
    "bad-value": Advice("Choose a value that the message names."),
    "unquoted-string": Advice(
        "Put it in quotes: 1.10 without them is the number 1.1 to other readers.",
        Example("          version: 12", '          version: "12"'),
    ),
    "unknown-input": Advice("Declare it under topology_template.inputs, or correct the name."),
    "input-without-value": Advice("Give the input a default."),
    "function-not-evaluated": Advice("Write the value itself."),
    "function-loop": Advice("Replace one of the functions in the circle by a value."),
    "unknown-capability": Advice("Correct its spelling; vCPUs and memory stand under virtual_compute."),
    "unknown-requirement": Advice(
        "Correct its spelling.",
        Example("        - virtual_bind: machine", "        - virtual_binding: machine"),
    ),
    "missing-requirement": Advice("Bind a connection point with virtual_binding to its VDU."),
    "dangling-reference": Advice(
        "Correct the name, or add the node template.",
        Example("        - virtual_storage: discs", "        - virtual_storage: data"),
    ),
    "wrong-target": Advice("Name a node of the right type: VDUs for deltas and levels, links for virtual_link."),
    "artifact-missing": Advice(
        "Add the file to the package, or correct the path; it is relative to the file that names it."
    ),
    "artifact-outside-package": Advice(
        "Write the path from this file, with ../ from Definitions, and no further up than the package's root."
    ),
    "artifact-from-root": Advice("Write the path from the file that names it: ../Files/x from Definitions."),
    "not-a-vnfd": Advice("NSDs and PNFDs are not onboarded as VNF packages."),
    "no-flavour": Advice("Give a template substitution_mappings with the VNF's node type and its flavour_id."),
    "duplicate-flavour": Advice("Give each template a flavour_id of its own."),
    "vdu-without-compute": Advice(
        "Add virtual_compute with virtual_memory and virtual_cpu, unless the package brings templates that size it."
    ),
    "vdu-without-image": Advice(
        "Give the VDU, or its boot storage, an artifact of the type tosca.artifacts.nfv.SwImage."
    ),
    "image-without-artifact": Advice(
        "Add an artifact of the type tosca.artifacts.nfv.SwImage, or see that the VIM has the image under that name."
    ),
    "bad-checksum": Advice("Compute it again: sha256sum FILE."),
    "link-and-mapping": Advice("Take the virtual_link away, or the connection point out of substitution_mappings."),
    "same-order": Advice("Number the connection points of a VDU 0, 1, 2 ...: it is the order of its interfaces."),
    "bad-address": Advice(
        "An address has to be in the link's subnet, and gateway and pools, too.",
        Example("cidr: 192.168.10.0/33", "cidr: 192.168.10.0/24"),
    ),
    "bad-range": Advice("Swap or correct the two numbers."),
    "unknown-aspect": Advice("Correct the name, or add the aspect to the policy ScalingAspects."),
    "unknown-delta": Advice("Name a delta that the aspect lists in step_deltas, or add it there."),
    "missing-delta": Advice("Add the delta under the same name to the policy VduScalingAspectDeltas."),
    "steps-and-levels": Advice("List one step in step_deltas, or as many as max_scale_level says."),
    "unused-aspect": Advice("Add a policy VduScalingAspectDeltas for it, or take the aspect away."),
    "unknown-level": Advice("Correct the name, or add the level to the policy InstantiationLevels."),
    "no-default-level": Advice("Add default_level to the policy InstantiationLevels."),
    "level-above-maximum": Advice(
        "Lower the level, or raise max_number_of_instances or max_scale_level.",
        Example("              number_of_instances: 9", "              number_of_instances: 2"),
    ),
    "level-below-minimum": Advice("Raise the level, or lower min_number_of_instances."),
    "level-sum": Advice(
        "Initial number plus steps times delta is the number of a level: correct the one that is wrong."
    ),
    "no-initial-delta": Advice("Add a policy VduInitialDelta for the VDU."),
    "rule-without-targets": Advice("Give the rule targets: VDUs, or a PlacementGroup with members."),
    "unused": Advice("Take it away, or use it."),
    "not-a-zip": Advice("A CSAR is a zip archive: see that the download or copy is complete (unzip -t FILE)."),
    "too-many-entries": Advice("Pack directories of small files into one archive."),
    "zip-bomb": Advice("Make the archive again with a usual tool, or with fairlead package build."),
    "bad-path": Advice("Make the archive from inside of the package's folder: fairlead package build does."),
    "bad-entry": Advice("Replace links by the files that they lead to."),
    "duplicate-entry": Advice("Make the archive new rather than adding to one."),
    "damaged-file": Advice("Make or copy the archive again."),
    "no-entry": Advice(
        "Write TOSCA-Metadata/TOSCA.meta with Entry-Definitions, or have exactly one YAML file at the root."
    ),
    "not-utf-8": Advice("Save the file as UTF-8."),
    "bad-line": Advice("Write Name: value; in a manifest every Source has an Algorithm and a Hash."),
    "no-manifest": Advice(
        "Add a .mf file and name it in TOSCA.meta as ETSI-Entry-Manifest; fairlead package build fills in digests."
    ),
    "file-not-in-manifest": Advice("fairlead package build writes a digest for each file."),
    "digest-algorithm": Advice("Use SHA-256; fairlead package build does."),
    "wrong-digest": Advice(
        "The file was changed after the manifest was written. Build the package again; when you did not make it, do not trust it."
    ),
    "wrong-checksum": Advice(
        "Write the checksum of the image that is in the package (sha256sum FILE), or put the right image there."
    ),
    "broken-signature": Advice(
        "Sign again; nothing may stand after the signature, and its first and last line belong to it."
    ),
    "wrong-signature": Advice(
        "The content was changed after it was signed. Sign again; when you did not make the package, do not trust it."
    ),
    "weak-signature": Advice(
        "Sign with SHA-256 or longer, and with RSA of 2,048 bits or an elliptic curve of 256 bits at least."
    ),
    "no-certificate": Advice(
        "Put the certificate into the signature, or name its file in TOSCA.meta as ETSI-Entry-Certificate."
    ),
    "bad-certificate": Advice("Save the certificate in PEM or DER."),
    "certificate-expired": Advice("Sign again with a certificate that is valid."),
    "untrusted-signer": Advice(
        "Add the certificate of who issued the signer's to packages.trust_anchors, if you trust it."
    ),
    "signer-not-checked": Advice("Set packages.trust_anchors."),
    "not-signed": Advice("Sign the package: fairlead package build --help."),
    "nested-archive": Advice("Upload the inner archive."),
    "signature-not-checked": Advice("Set packages.signatures to verify or require."),
    "no-signature": Advice(
        "Put the signature (.cms) beside the package in the outer archive, or give the inner one alone."
    ),
    "yaml-too-deep": Advice("Make the structure flatter."),
    "yaml-several-documents": Advice("Take what follows --- to a file of its own, and import it."),
    "documents-too-large": Advice("Take large data out of the descriptor and into artifacts."),
    "too-many-imports": Advice("Put types that belong together into one file."),
    "values-too-many": Advice("Write the values themselves in place of functions that refer to functions."),
    "too-many-requirements": Advice("Keep as many as the node type allows."),
    "unknown-interface": Advice("Correct its spelling; the interface of the life cycle is Vnflcm."),
    "unknown-operation": Advice("Correct its spelling: instantiate, instantiate_start, instantiate_end and so on."),
    "no-substitution-mappings": Advice("Add substitution_mappings with the VNF's node type."),
    "several-vnf-nodes": Advice("Keep one node template of the VNF's type in each file."),
    "no-vdu": Advice("Add a node template of the type tosca.nodes.nfv.Vdu.Compute or Vdu.OsContainerDeployableUnit."),
    "said-twice": Advice("Keep one of the two."),
    "missing-level": Advice("Add the level to the policy, or take it out of InstantiationLevels."),
    "no-levels": Advice("Add a policy of the type InstantiationLevels."),
    "contradiction": Advice("Correct the one of the two that is wrong."),
    "too-large": Advice("Bring large images by other ways than in the package."),
    "line-too-long": Advice("Break the line, or see whether the file is text at all."),
    "unknown-entry": Advice("Correct its spelling, or take it away; nobody reads it."),
    "meta-incomplete": Advice("Add the entry to TOSCA-Metadata/TOSCA.meta."),
    "manifest-incomplete": Advice("Add it; what a manifest needs shows the package that fairlead package init makes."),
    "not-a-vnf-package": Advice("Onboard it as what it is; here only packages of VNFs are read."),
}
