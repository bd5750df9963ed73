"""Git repositories that tests make themselves, for the readers of public ones."""

from __future__ import annotations

import subprocess
from pathlib import Path


def repository(folder: Path, files: dict[str, bytes]) -> Path:
    """The git directory of a repository with one commit that holds these files."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "files")):
        subprocess.run(["git", "-C", str(folder), *author, *command], check=True)
    return folder / ".git"
