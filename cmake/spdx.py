#!/usr/bin/python3
"""spdx.py FOLDER VERSION DATE: beside each .deb and .whl in FOLDER a list of what it is made of, FILE.spdx.json (SPDX 2.3).

The package with its hash and that of every file inside, what Debian's packages were compiled into it (static libraries,
headers, D3's modules in the page), and those whose libraries it asks for; each with the version here. Licences of Debian's
packages are in /usr/share/doc/PACKAGE/copyright of the machine.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# What becomes part of a file of ours. LIBLINEAR is linked statically (probes/liblinear_fit.cc); the rest are headers.
COMPILED_IN = ["libboost-math-dev", "libeigen3-dev", "liblinear-dev", "nlohmann-json3-dev"]
OF_PROGRAM = ["libcli11-dev", "node-d3-axis", "node-d3-scale", "node-d3-selection", "node-d3-shape"]
OF_PYTHON = ["pybind11-dev"]


def version_of(package):
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return said.stdout if said.returncode == 0 and said.stdout else "NOASSERTION"


def contents(path, folder):
    if path.suffix == ".whl":
        zipfile.ZipFile(path).extractall(folder)
        metadata = next(Path(folder).glob("*.dist-info/METADATA")).read_text()
        return ", ".join(re.findall(r"^Requires-External: (.*)$", metadata, re.MULTILINE))
    subprocess.run(["dpkg-deb", "--extract", path, folder], check=True)
    return subprocess.run(["dpkg-deb", "-f", path, "Depends"], check=True, capture_output=True, text=True).stdout


def identifier(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def describe(path, version, date):
    with tempfile.TemporaryDirectory() as folder:
        depends = contents(path, folder)
        inside = sorted(file for file in Path(folder).rglob("*") if file.is_file() and not file.is_symlink())
        files = [
            {
                "SPDXID": identifier(f"file-{number}"),
                "fileName": f"./{file.relative_to(folder)}",
                "checksums": [{"algorithm": algorithm.upper(), "checksumValue": hashlib.new(algorithm, file.read_bytes()).hexdigest()}
                              for algorithm in ("sha1", "sha256")],
            }
            for number, file in enumerate(inside)
        ]  # fmt: skip
    is_python = path.suffix == ".whl" or path.name.startswith("python3-")
    parts = [] if "-dev_" in path.name else COMPILED_IN + (OF_PYTHON if is_python else OF_PROGRAM)
    needed = [name for name in dict.fromkeys(re.findall(r"(?:^|, *)([a-z0-9][a-z0-9.+-]+)", depends)) if name not in parts]
    main = identifier(path.name)
    packages = [
        {
            "SPDXID": main, "name": path.name.split("_")[0], "versionInfo": version, "packageFileName": path.name,
            "downloadLocation": "NOASSERTION", "licenseDeclared": "MIT", "filesAnalyzed": False,
            "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(path.read_bytes()).hexdigest()}],
        }
    ] + [
        {
            "SPDXID": identifier(name), "name": name, "versionInfo": version_of(name), "downloadLocation": "NOASSERTION",
            "licenseDeclared": "NOASSERTION", "licenseComments": f"/usr/share/doc/{name}/copyright", "filesAnalyzed": False,
        }
        for name in parts + needed
    ]  # fmt: skip
    related = [("SPDXRef-DOCUMENT", "DESCRIBES", main)]
    related += [(main, "CONTAINS", file["SPDXID"]) for file in files]
    related += [(main, "STATIC_LINK", identifier(name)) for name in parts]
    related += [(main, "DEPENDS_ON", identifier(name)) for name in needed]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": path.name,
        "documentNamespace": f"urn:vise-eval:{path.name}:{packages[0]['checksums'][0]['checksumValue']}",
        "creationInfo": {"created": f"{date}T00:00:00Z", "creators": ["Tool: vise-eval cmake/spdx.py"]},
        "packages": packages,
        "files": files,
        "relationships": [
            {"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in related
        ],
    }


folder, version, date = Path(sys.argv[1]), *sys.argv[2:]
for path in sorted([*folder.glob("*.deb"), *folder.glob("*.whl")]):
    text = json.dumps(describe(path, version, date), indent=1)
    path.with_name(path.name + ".spdx.json").write_text(text + "\n")
