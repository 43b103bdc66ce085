"""EFS file systems are folders here, and a function's process sees its own at its mount path, as on AWS.

The process gets a mount namespace of its own, in which the access point's folder is bound to the path; read-only where
the access point's POSIX user may not write to its root directory. Where that user may, the function's role needs
ClientWrite too: AWS refuses it only when it writes, this emulator when it mounts. Files belong to the emulator's user,
and what a POSIX user may do with each of them is not checked. Where this machine allows
no namespaces, environment variables that name the mount path name the folder instead, and nothing is read-only.

ministack has the API and CloudFormation's resource types.
"""

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import ec2, efs

from crossover.local.emulator import permissions
from crossover.local.emulator.ministack_internals import RESOURCE_HANDLERS, Properties, on_change

WRITE = 0o2
"""The bit of a mode, in its digit for the owner, the group or the others."""


def install() -> None:
    """Check the file systems of functions when these are deployed, and delete the files with the file system."""
    efs.file_system_policy_for_arn = _policy_and_owner
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["elasticfilesystem"] = ("efs", "file_system_policy_for_arn")
    on_change("AWS::Lambda::Function", before=_check)
    handlers = RESOURCE_HANDLERS["AWS::EFS::FileSystem"]
    delete: Callable[..., Any] = handlers["delete"]

    def delete_files(physical_id: str, *more: Any) -> Any:
        result = delete(physical_id, *more)
        shutil.rmtree(folder_of(physical_id), ignore_errors=True)
        return result

    handlers["delete"] = delete_files


def folder_of(file_system: str) -> Path:
    """The root directory of a file system."""
    return Path(tempfile.gettempdir(), "efs", file_system)


def mount(config: Properties) -> dict[str, str]:
    """The environment variables with which the process of a function finds its file system.

    Args:
        config: of the function's version.

    Returns:
        `CROSSOVER_MOUNT`, a shell script that runs its arguments where the file system is mounted; or, without
        namespaces, the function's own variables, changed.

    Raises:
        ministack.core.lambda_runtime.ProvidedRuntimeError: the file system cannot be mounted; with AWS's error type.
    """
    if not config.get("FileSystemConfigs"):
        return {}
    [wanted] = config["FileSystemConfigs"]
    path = wanted["LocalMountPath"]
    try:
        folder, is_writable = _open(wanted["Arn"], config)
    except (ValueError, permissions.DeniedError) as error:
        message = f"The function couldn't mount the Amazon EFS file system at {path}: {error}"
        raise lambda_runtime.ProvidedRuntimeError(message, "EFSMountFailureException") from None
    if not _has_namespaces():
        variables = (config.get("Environment") or {}).get("Variables", {})
        return {
            name: f"{folder}{value.removeprefix(path)}"
            for name, value in variables.items()
            if value == path or value.startswith(f"{path}/")
        }
    script = Path(tempfile.gettempdir(), f"mount-{wanted['Arn'].rpartition('/')[2]}-{'rw' if is_writable else 'ro'}.sh")
    script.write_text(_script(folder, path, is_writable=is_writable))
    return {"CROSSOVER_MOUNT": str(script)}


def _check(function: str | None, properties: Properties) -> None:
    """Refuse what Lambda refuses when a function is created or updated."""
    for wanted in properties.get("FileSystemConfigs") or []:
        subnets = (properties.get("VpcConfig") or {}).get("SubnetIds") or []
        if not subnets:
            raise ValueError("Function must be configured to execute in a VPC to reference an EFS access point.")
        file_system = _access_point(wanted["Arn"])["FileSystemId"]
        targets = [target for target in efs._mount_targets.values() if target["FileSystemId"] == file_system]
        for subnet in subnets:
            zone = ec2._subnets[subnet]["AvailabilityZone"]
            if zone not in [target["AvailabilityZoneName"] for target in targets]:
                raise ValueError(f"EFS file system {file_system} has no mount target in {zone}, as subnet {subnet}.")


def _open(access_point_arn: str, config: Properties) -> tuple[Path, bool]:
    """The access point's folder, and whether the function may write to it.

    Raises:
        ValueError, permissions.DeniedError: it cannot be mounted.
    """
    access_point = _access_point(access_point_arn)
    file_system = efs._file_systems[access_point["FileSystemId"]]
    context = {
        "elasticfilesystem:AccessPointArn": access_point_arn,
        "elasticfilesystem:AccessedViaMountTarget": "true",
    }

    root = access_point["RootDirectory"]
    folder = Path(folder_of(access_point["FileSystemId"]), root["Path"].lstrip("/"))
    if not folder.is_dir():
        _create(folder, root.get("CreationInfo"))
    is_writable = _user_may_write(access_point["PosixUser"], root.get("CreationInfo"))
    if file_system.get("FileSystemPolicy"):  # without one, EFS lets every client in
        actions = ["ClientMount", "ClientWrite"] if is_writable else ["ClientMount"]
        permissions.check_role(
            config["Role"],
            [f"elasticfilesystem:{action}" for action in actions],
            file_system["FileSystemArn"],
            context=context,
        )
    return folder, is_writable


def _create(folder: Path, info: Properties | None) -> None:
    """Create an access point's root directory, which EFS does at the first mount, if told whose it is."""
    if not info:
        raise ValueError("the access point's root directory does not exist, and it has no CreationInfo.")
    folder.mkdir(parents=True)
    folder.chmod(int(info["Permissions"], 8))


def _user_may_write(user: Properties, info: Properties | None) -> bool:
    """Whether a POSIX user may write to a directory that was created so."""
    if not info or not user:
        return False
    of_owner, of_group, of_others = (int(digit) for digit in info["Permissions"][-3:])
    if user["Uid"] == info["OwnerUid"]:
        return bool(of_owner & WRITE)
    return bool((of_group if user["Gid"] == info["OwnerGid"] else of_others) & WRITE)


def _access_point(arn: str) -> Properties:
    found: Properties | None = efs._access_points.get(arn.rpartition("/")[2])
    if found is None:
        raise ValueError(f"EFS access point {arn} does not exist.")
    return found


def _policy_and_owner(arn: str) -> tuple[str | None, str]:
    """A file system's own policy, for ministack's checks."""
    return efs._file_systems.get(arn.rpartition("/")[2], {}).get("FileSystemPolicy"), get_account_id()


def _script(folder: Path, path: str, *, is_writable: bool) -> str:
    """A shell script that binds the folder to the path for the command in its arguments, and for nothing else.

    Lambda's mount paths are in /mnt, which is an empty folder for the process: so nothing is made in this machine's.
    """
    options = "bind" if is_writable else "bind,ro"
    target = shlex.quote(path)
    mounts = (
        f"mount -t tmpfs tmpfs /mnt && mkdir -p {target} && "
        f'mount -o {options} {shlex.quote(str(folder))} {target} && exec "$@"'
    )
    # unshare replaces itself by the command, so the process keeps its id, by which the emulator ends it.
    return f'exec unshare --map-root-user --mount --propagation private sh -c {shlex.quote(mounts)} sh "$@"\n'


@cache
def _has_namespaces() -> bool:
    """Whether a process can get a mount namespace of its own here, tried once; the emulator's log says if not."""
    folder = Path(tempfile.mkdtemp())
    try:
        trial = Path(folder, "trial.sh")
        trial.write_text(_script(folder, "/mnt/trial", is_writable=False))
        reads_only = f"test -e /mnt/trial/trial.sh && ! touch /mnt/trial/file && test -x {shlex.quote(sys.executable)}"
        works = (
            shutil.which("unshare") is not None
            and not subprocess.run(
                ["sh", str(trial), "sh", "-c", reads_only], capture_output=True, check=False
            ).returncode
        )
    finally:
        shutil.rmtree(folder)
    if not works:
        print("Mount namespaces do not work here: functions with EFS get the folder's own path, and may write to it.")
    return works
