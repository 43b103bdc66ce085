"""Look up known vulnerabilities of locked requirements: `python .ci/audit.py FILE... [--OPTION=VALUE of pip-audit]...`.

Exit code 1 where one is known, or where a package was not found though others were: it may have been taken back.
A service that cannot be reached is no finding. It is said in one line, with exit code 0, so that nothing depends on it.

Why pip-audit alone will not do: it fails in the same way for both, and where a mirror of PyPI knows no vulnerabilities,
it skips every package and reports that none is known.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

# Only files with every version and hash in them are read, so nothing has to be resolved or installed.
PIP_AUDIT = [
    *(sys.executable, "-m", "pip_audit"),
    *("--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json"),
]
# How the last line of pip-audit begins where the service did not answer, or with nonsense.
UNREACHABLE = ("requests.exceptions.", "urllib3.exceptions.", "pip_audit._service.", "ERROR:pip_audit._cli:Tip:")


class UnreachableError(Exception):
    """The vulnerability service did not answer."""


def audit(file: str, options: list[str]) -> list[dict[str, Any]]:
    """Each package of a file: its name, and either its version and `vulns` or a `skip_reason`.

    Raises:
        UnreachableError: the vulnerability service did not answer.
    """
    command = [*PIP_AUDIT, f"--requirement={file}", *options]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.stdout:
        packages: list[dict[str, Any]] = json.loads(answer.stdout)["dependencies"]
        return packages
    last = answer.stderr.strip().rpartition("\n")[2]
    if last.startswith(UNREACHABLE):
        raise UnreachableError(last)
    sys.exit(f"pip-audit failed for {file}: {last}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Look up known vulnerabilities of locked requirements.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    arguments, options = parser.parse_known_args()
    packages: dict[tuple[str, str | None], dict[str, Any]] = {}
    problem = ""
    try:
        for file in arguments.files:  # one by one, because two files may lock different versions of a package
            packages |= {(package["name"], package.get("version")): package for package in audit(file, options)}
    except UnreachableError as error:
        problem = str(error)
    audited = [package for package in packages.values() if "vulns" in package]
    skipped = [package["skip_reason"] for package in packages.values() if "skip_reason" in package]
    if skipped and not audited:
        skipped, problem = [], "it knows none of the packages"
    findings = skipped + [
        f"{package['name']} {package['version']}: {vulnerability['id']}, "
        f"fixed in {' or '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for package in audited
        for vulnerability in package["vulns"]
    ]
    for finding in findings:
        print(finding)
    if problem:
        print(f"Not audited to the end, because the vulnerability service cannot be reached: {problem}")
    else:
        print(f"Packages audited: {len(audited)}. Findings: {len(findings)}.")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
