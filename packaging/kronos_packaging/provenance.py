"""How packages came to be: an in-toto statement with SLSA provenance (slsa.dev, provenance v1) per build."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from debian.deb822 import Deb822

from kronos_packaging.sbom import bill_of_materials, read_package

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.inputs import Ingredients, TargetInputs
    from kronos_packaging.plan import Job

BUILD_TYPE = "kronos:package-build:1"
SBOM_SUFFIX = ".cdx.json"
PROVENANCE_SUFFIX = ".provenance.json"
PACKAGES = (".deb", ".rpm")
SUBJECTS = (*PACKAGES, ".dsc")


def attest(job: Job, inputs: TargetInputs, folder: Path, made_at_s: int) -> None:
    """Write a bill of materials beside each package in `folder`, and the provenance of all of them."""
    for path in sorted(folder.iterdir()):
        if path.suffix in PACKAGES and not path.name.endswith(".src.rpm"):
            text = bill_of_materials(read_package(path), inputs.target, made_at_s)
            (folder / f"{path.stem}{SBOM_SUFFIX}").write_text(text)
    told = provenance(job, inputs, folder)
    place = folder / f"{job.component}_{job.target}_{job.key}{PROVENANCE_SUFFIX}"
    place.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


def provenance(job: Job, inputs: TargetInputs, folder: Path) -> dict[str, Any]:
    """Return the statement: what was built, from what, with which packages installed."""
    made_of = inputs.ingredients[job.component]
    subjects = [path for path in sorted(folder.iterdir()) if path.suffix in SUBJECTS]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path.name, "digest": {"sha256": _sha256(path)}} for path in subjects],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"component": job.component, "target": job.target},
                "internalParameters": {"key": job.key, "recipe": made_of.recipe.source.value},
                "resolvedDependencies": [*_sources(made_of), *_build_packages(folder)],
            },
            "runDetails": {"builder": {"id": "kronos:factory"}, "metadata": {"invocationId": job.key}},
        },
    }


def _sources(made_of: Ingredients) -> list[dict[str, Any]]:
    total = hashlib.sha256()
    for file in sorted(made_of.files, key=lambda file: file.path):
        total.update(f"{file.path}\0{hashlib.sha256(file.content).hexdigest()}\0".encode())
    told: list[dict[str, Any]] = [{"name": "tree", "digest": {"sha256": total.hexdigest()}}]
    if made_of.found:
        told += [
            {"name": file.name, "uri": f"pkg:generic/{file.name}", "digest": {"sha256": file.sha256}}
            for file in made_of.found.files
        ]
    return told


def _build_packages(folder: Path) -> list[dict[str, Any]]:
    """Return what was installed in the build root, from dpkg's record (deb-buildinfo(5))."""
    told: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.buildinfo")):
        installed = Deb822(path.read_text()).get("Installed-Build-Depends", "")
        for word in installed.replace("\n", " ").split(","):
            name, _, version = word.strip().partition(" (= ")
            if name:
                told.append({"name": name, "annotations": {"version": version.rstrip(")")}})
    return told


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
