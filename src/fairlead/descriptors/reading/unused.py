"""Definitions that nothing uses: they are no mistakes, but often one is behind them, a name misspelt in two places.

What is used is found by names alone: a type is used if any value in the documents is its name, an input if any function asks
for it. That may miss an unused definition that shares its name with something, and never tells of a used one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairlead.descriptors.documents import Documents
from fairlead.descriptors.problems import Problems
from fairlead.descriptors.reading.topology import Topology
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef
from fairlead.descriptors.types import SECTIONS
from fairlead.descriptors.vnfd import Flavour

__all__ = ["check_unused_in", "check_unused_types"]

_SCRIPT: Final = "tosca.artifacts.Implementation"


def check_unused_types(documents: Documents, problems: Problems) -> None:
    """Tell of types that the package defines and neither a template nor another definition names.

    Files with copies of TOSCA's and ETSI's types come whole, and nobody uses all of them.
    """
    words: set[str] = set()
    for root in documents.roots.values():
        words |= {node.text for node in _scalars(root)}
    for root in documents.roots.values():
        for section in SECTIONS:
            definitions = root.get(section)
            for name in (definitions.mapping or {}) if definitions is not None else {}:
                if name not in words and not name.startswith("tosca.") and definitions is not None:
                    problems.warning("unused", f'nothing is of the type "{name}"', definitions.key_mark(name))


def check_unused_in(topology: Topology, vnf: TypeDef, flavour: Flavour, problems: Problems) -> None:
    """Tell of inputs, containers, certificates, groups and scripts of one template that nothing in it names.

    An input with the name of a property of the VNF's type `vnf` is how a template takes over the property (TOSCA Simple Profile
    1.2, 3.8.4), so it may be there for that alone.
    """
    declared = topology.root.get("inputs")
    asked = set(_inputs(topology.root))
    for name in (declared.mapping or {}) if declared is not None else {}:
        if name not in asked and name not in vnf.properties and declared is not None:
            problems.warning("unused", f'nothing asks for the input "{name}"', declared.key_mark(name))
    contained = {container.id for vdu in flavour.vdus.values() for container in vdu.containers}
    for node in topology.of_type("tosca.nodes.nfv.Vdu.OsContainer"):
        if node.name not in contained:
            problems.warning("unused", f'no VDU has the container "{node.name}"', node.mark)
    certified = {name for vdu in flavour.vdus.values() for name in vdu.certificates}
    for certificate in flavour.certificates.values():
        if certificate.id not in certified:
            problems.warning("unused", f'no VDU wants the certificate "{certificate.id}"', certificate.mark)
    named = {target for policy in topology.policies for target in policy.target_names}
    for group in topology.groups.values():
        if group.name not in named:
            problems.warning("unused", f'no policy is on the group "{group.name}"', group.mark)
    _scripts(topology, flavour, problems)


def _scripts(topology: Topology, flavour: Flavour, problems: Problems) -> None:
    operations = [*flavour.lifecycle.values(), *(each for one in flavour.interfaces.values() for each in one.values())]
    run = {path for each in operations for path in (each.path, *each.dependencies)}
    for artifact in flavour.artifacts.values():
        is_script = artifact.type is not None and topology.package.types.derives(
            "artifact_types", artifact.type, _SCRIPT
        )
        if (is_script or (artifact.type or "").startswith(_SCRIPT)) and artifact.path not in run:
            problems.warning("unused", f'no operation runs the artifact "{artifact.name}"', artifact.mark)


def _inputs(root: Node) -> Iterator[str]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.mapping is not None:
            argument = node.mapping.get("get_input")
            if argument is not None:
                yield argument.sequence[0].text if argument.sequence else argument.text
            waiting += node.mapping.values()
        elif node.sequence is not None:
            waiting += node.sequence


def _scalars(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.mapping is not None:
            waiting += node.mapping.values()
        elif node.sequence is not None:
            waiting += node.sequence
        else:
            yield node
