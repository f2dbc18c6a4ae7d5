#!/usr/bin/python3
"""wheel.py PACKAGE OUT VERSION DATE LICENSE REQUIRED: packs PACKAGE, the installed folder of vise_eval, as a wheel below OUT.

It is what `pip install FILE` takes without a network, a build step or root: a zip of the package and its metadata (PEP
427), tagged for the interpreter that runs this, whose _core was built for it. The libraries below _core are Debian's and
are not packed; REQUIRED names their packages in the metadata. The tag is linux_x86_64, not manylinux: a wheel for the
system that made it, and for those with the same libraries. The same files make the same wheel, byte for byte.
"""

import base64
import hashlib
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

METADATA = """\
Metadata-Version: 2.1
Name: vise-eval
Version: {version}
Summary: Frozen features, linear probes and honest tables for subjective visual tasks
License: MIT
Requires-Python: =={major}.{minor}.*
Requires-Dist: numpy
Provides-Extra: estimators
Requires-Dist: scikit-learn; extra == "estimators"
Provides-Extra: pandas
Requires-Dist: pandas; extra == "pandas"
{external}
The engine of vise-eval as a module. Estimators need scikit-learn, Table.to_pandas() pandas. Built for Debian's Python and
its libraries (Requires-External).
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: vise-eval cmake/wheel.py
Root-Is-Purelib: false
Tag: {tag}
"""


def main(package, out, version, date, licence, required):
    package, major, minor = Path(package), *sys.version_info[:2]
    tag = f"cp{major}{minor}-cp{major}{minor}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    module = package / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"
    if not module.exists():
        sys.exit(f"wheel: no {module}: the package is for another Python")
    external = "".join(f"Requires-External: {name.strip()}\n" for name in required.split(",") if name.strip())
    files = {
        f"vise_eval/{path.name}": path.read_bytes()
        for path in sorted(package.iterdir())
        if path.suffix in (".py", ".pyi", ".so") or path.name == "py.typed"
    }
    info = f"vise_eval-{version}.dist-info"
    files[f"{info}/METADATA"] = METADATA.format(version=version, major=major, minor=minor, external=external).encode()
    files[f"{info}/WHEEL"] = WHEEL.format(tag=tag).encode()
    files[f"{info}/LICENSE"] = Path(licence).read_bytes()
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()

    wheel = Path(out) / f"vise_eval-{version}-{tag}.whl"
    partial = wheel.with_suffix(".part")
    stamp = time.strptime(date, "%Y-%m-%d")[:6]
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, stamp)
            entry.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    partial.rename(wheel)
    print(wheel)


main(*sys.argv[1:])
