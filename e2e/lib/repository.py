"""A Git repository on this machine, from which servers read what they deliver."""

import os
import subprocess
from pathlib import Path

from .fault import Fault

BRANCH = "main"
FOLDER = "fleet"


class Repository:
    """A repository with one folder of files."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True)
        self.git("init", "-q", "-b", BRANCH)
        self.folder.mkdir()

    @property
    def folder(self) -> Path:
        """The folder that is delivered."""
        return self.home / FOLDER

    @property
    def url(self) -> str:
        """Where it is."""
        return f"file://{self.home}"

    def commit(self, why: str = "e2e") -> str:
        """Commits all files as they are; returns the revision."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", why)
        return self.git("rev-parse", "HEAD")

    def is_changed(self) -> bool:
        """Whether the files are others than those of the last commit."""
        return bool(self.git("status", "--porcelain"))

    def forget(self) -> None:
        """Takes the files back to the last commit, as whoever clones it anew has them."""
        self.git("reset", "-q", "--hard")
        self.git("clean", "-fdq")

    def git(self, *arguments: str) -> str:
        """Runs Git, which knows nothing of whoever runs the tests."""
        own = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "e2e",
            "GIT_AUTHOR_EMAIL": "e2e@example.com",
            "GIT_COMMITTER_NAME": "e2e",
            "GIT_COMMITTER_EMAIL": "e2e@example.com",
        }
        ended = subprocess.run(
            ["git", *arguments], cwd=self.home, env=os.environ | own, capture_output=True, text=True
        )
        if ended.returncode:
            raise Fault(f"`git {' '.join(arguments)}` failed: {ended.stderr}")
        return ended.stdout.strip()
