"""Every problem code of the descriptor reader, with what it means and what to do.

Codes are part of the interface: scripts filter by them, and docs/lint.md is made of these texts. A test keeps the list and
the code that raises them in step. Codes are never reused for another meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["CODES"]

CODES: Final[Mapping[str, str]] = {
    # text and YAML
    "yaml-syntax": "The file is not YAML. The place is where the parser gave up; the mistake may be a line above.",
    "yaml-too-large": "The file, or what its aliases expand to, is larger than a descriptor can sensibly be.",
    "yaml-too-deep": "Values are nested deeper than 64 levels.",
    "yaml-alias": "An alias names an anchor that was not finished before it; values cannot contain themselves.",
    "yaml-several-documents": "A descriptor file holds one YAML document; take what follows --- to a file of its own.",
    "yaml-key": "A key of a map must be a plain word.",
    "yaml-tag": "TOSCA uses no YAML tags beyond the plain ones.",
    "duplicate-key": "The same key stands twice in one map. The first one is used for reading on.",
    "too-many-problems": "Reading stopped, as there are so many problems that the rest would not help.",
    # TOSCA grammar
    "not-tosca": "The file is no map, so it cannot be a TOSCA document.",
    "tosca-version": "tosca_definitions_version is not one that is read here: tosca_simple_yaml_1_2 or _1_3.",
    "unknown-key": "TOSCA has no such key at this place. What is under it is not read.",
    "missing-key": "TOSCA requires this key here.",
    "wrong-shape": "The key takes another sort of value: a map, a list or a word.",
    "file-missing": "A file that is named is not in the package.",
    "import-outside-package": "Only files of the package, and ETSI's own type files, can be imported.",
    "import-from-root": "The import was found from the package's root; it should be relative to the importing file.",
    "documents-too-large": "The documents of the descriptor are together larger than is read.",
    "too-many-imports": "The descriptor imports more files than are read.",
    # types and values
    "unknown-type": "The type is neither ETSI's nor TOSCA's nor defined in the package's files.",
    "type-loop": "A type is derived from itself.",
    "duplicate-type": "The same type is defined twice in one package.",
    "sol001-drift": "The package carries its own, different copy of one of ETSI's types. Ours is used where it can be.",
    "unknown-property": "The type has no such property.",
    "undeclared-property": "SOL001 wants a derived type that declares this property; it is kept as written.",
    "missing-property": "The type requires this property.",
    "wrong-type": "The value is of another type than the property.",
    "wrong-unit": "The value is no number with a unit of this kind.",
    "bad-value": "The value breaks a constraint of the property.",
    "unquoted-string": "A string without quotes that YAML reads as a number or boolean; it is taken as it is written.",
    "unknown-input": "get_input names an input that the template does not have.",
    "input-without-value": "The input has no default, and no property of the VNF gives it a value.",
    "function-not-evaluated": "The function depends on a running instance; the property reads as absent.",
    "values-too-many": "Defaults and functions refer to each other so often that reading would never end.",
    "function-loop": "Functions refer to each other in a circle, or too deeply.",
    # templates
    "unknown-capability": "The node type has no such capability.",
    "unknown-requirement": "The node type has no such requirement.",
    "missing-requirement": "The node template does not say what it is bound to, or what it is for.",
    "too-many-requirements": "The node template has a requirement more often than its type allows.",
    "dangling-reference": "The name refers to nothing in this template.",
    "wrong-target": "What is referred to is of a type that cannot stand there.",
    "unknown-interface": "The VNF's node type has no such interface.",
    "unknown-operation": "The interface type has no such operation.",
    "artifact-missing": "A declared artifact is not in the package.",
    "artifact-outside-package": "A path leads out of the package.",
    "artifact-from-root": "The artifact was found from the package's root; it should be relative to the declaring file.",
    # the VNF
    "not-a-vnfd": "The descriptor is of a network service or a physical function.",
    "no-flavour": "No template substitutes a VNF node type, so nothing can be deployed.",
    "duplicate-flavour": "Two templates are for the same deployment flavour.",
    "no-substitution-mappings": "A single-file VNFD should have substitution mappings that say which VNF it is.",
    "several-vnf-nodes": "A template has more than one VNF node.",
    "no-vdu": "The flavour has no VDU.",
    "vdu-without-compute": "The VDU has no virtual_compute capability; only templates in the package can size it.",
    "vdu-without-image": "There is no image to start it from.",
    "image-without-artifact": "The image is described and has no file; the VIM must have one of that name.",
    "bad-checksum": "The checksum does not have the form of its algorithm.",
    "link-and-mapping": "A connection point is on an internal link and mapped to the outside.",
    "same-order": "Two connection points of one VDU have the same order.",
    "bad-address": "An address or subnet is malformed, or outside of what it belongs to.",
    "bad-range": "A minimum is above its maximum.",
    # scaling and placement
    "unknown-aspect": "There is no scaling aspect of that name.",
    "unknown-delta": "The delta is no step of its aspect.",
    "missing-delta": "A step of the aspect has no delta for these targets; an error if it has none for any.",
    "said-twice": "Two policies say the same of one VDU, link or connection point, and only one of them could hold.",
    "missing-level": "An instantiation level is left out by a policy that speaks of the others.",
    "steps-and-levels": "An aspect has either one step for all levels, or one for each level.",
    "unused-aspect": "No VDU and no link is scaled by the aspect.",
    "unknown-level": "There is no instantiation level of that name.",
    "no-levels": "Nothing says how many instances of a VDU there are at first, or a flavour that is scaled has no levels.",
    "no-default-level": "With several instantiation levels, one must be the default.",
    "level-above-maximum": "A level asks for more than the maximum of a VDU or aspect.",
    "level-below-minimum": "A level asks for less than the minimum of a VDU.",
    "level-sum": "A level's instances and its scale levels do not come to the same number.",
    "no-initial-delta": "A VDU is scaled and has no VduInitialDelta; its minimum counts as the initial number.",
    "contradiction": "Two placement rules of one scope keep the same VDUs together and apart.",
    "rule-without-targets": "A placement rule concerns nothing.",
    "unused": "Something is defined and nothing uses it.",
}
