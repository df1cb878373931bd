"""Jobs' containers, run here: kwok plays pods and runs nothing. Each container's command is run
with the rights of its pod's service account alone, and the pod then says how it ended."""

import os
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .api import MERGE
from .feed import Feed
from .program import Program
from .servers import Cluster

# What images call the program that is tested.
OURS = "cosmos-render"
TOKEN_SECONDS = 3600


@dataclass(frozen=True)
class Hooked:
    """How a pod of a Job ended."""

    namespace: str
    job: str
    pod: str
    code: int
    said: str


@dataclass
class Hooks:
    """The kubelet of Jobs' pods."""

    cluster: Cluster
    program: Program
    folder: Path
    ran: list[Hooked] = field(default_factory=list)
    running: dict[str, subprocess.Popen[str] | None] = field(default_factory=dict)
    doomed: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, feed: Feed) -> None:
        """Has itself told of pods."""
        feed.tell("v1", "Pod", self.pod)

    def pod(self, what: str, found: dict) -> None:
        """Starts a pod that has a node, and stops one that is being deleted."""
        owners = found["metadata"].get("ownerReferences") or []
        uid = found["metadata"]["uid"]
        if not any(each["kind"] == "Job" for each in owners) or what == "DELETED":
            return
        with self.lock:
            if "deletionTimestamp" in found["metadata"]:
                if uid not in self.doomed:
                    self.doomed.add(uid)
                    threading.Thread(target=self.end, args=(found,), daemon=True).start()
            elif found["spec"].get("nodeName") and uid not in self.running:
                self.running[uid] = None
                threading.Thread(target=self.begin, args=(found,), daemon=True).start()

    def begin(self, pod: dict) -> None:
        """Runs the containers of a pod, the first ones one after the other."""
        home = self.folder / pod["metadata"]["uid"]
        home.mkdir(parents=True)
        try:
            spec = pod["spec"]
            self.say(pod, {"phase": "Running"})
            steps = [*(spec.get("initContainers") or []), *spec["containers"]]
            codes = []
            for container in steps:
                codes.append(self.container(pod, container, home))
                if codes[-1]:
                    break
            phase = "Failed" if any(codes) else "Succeeded"
            statuses = [terminated(each, code) for each, code in zip(spec["containers"], codes)]
            self.say(pod, {"phase": phase, "containerStatuses": statuses})
        # The API server is gone: the tests are over.
        except OSError:
            pass

    def container(self, pod: dict, container: dict, home: Path) -> int:
        """Runs a container to its end; returns its exit code."""
        uid = pod["metadata"]["uid"]
        command = [*(container.get("command") or [OURS]), *(container.get("args") or [])]
        if Path(command[0]).name == OURS:
            command[0] = str(self.program.path)
        with self.lock:
            if uid in self.doomed:
                return 137
            try:
                process = subprocess.Popen(
                    command,
                    cwd=home,
                    env=self.environment(pod, container, home),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            except OSError as error:
                self.note(pod, 127, str(error))
                return 127
            self.running[uid] = process
        said, _ = process.communicate()
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        self.note(pod, code, said)
        return code

    def environment(self, pod: dict, container: dict, home: Path) -> dict[str, str]:
        """Returns what a container finds in its environment: nothing of ours."""
        own = {"PATH": os.environ["PATH"], "HOME": str(home)}
        for each in container.get("env") or []:
            own[each["name"]] = each.get("value") or value_from(pod, each.get("valueFrom") or {})
        if pod["spec"].get("automountServiceAccountToken") is not False:
            own["KUBECONFIG"] = str(self.kubeconfig(pod, home))
        return own

    def kubeconfig(self, pod: dict, home: Path) -> Path:
        """Makes a token of a pod's service account, which is of use only while the pod is there."""
        metadata = pod["metadata"]
        account = pod["spec"].get("serviceAccountName", "default")
        bound = {"apiVersion": "v1", "kind": "Pod"}
        bound |= {"name": metadata["name"], "uid": metadata["uid"]}
        request = {"spec": {"expirationSeconds": TOKEN_SECONDS, "boundObjectRef": bound}}
        base = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        made = self.cluster.api.must("POST", base, request)
        path = home / "kubeconfig"
        self.cluster.write_kubeconfig(path, made["status"]["token"], metadata["namespace"])
        return path

    def end(self, pod: dict) -> None:
        """Stops a pod, as long as it may take, and lets the cluster forget it."""
        uid = pod["metadata"]["uid"]
        with self.lock:
            process = self.running.get(uid)
        if process is not None:
            process.terminate()
            try:
                process.wait(pod["metadata"].get("deletionGracePeriodSeconds", 30))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        try:
            path = pod_path(pod)
            now = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
            self.cluster.api.request("DELETE", path, now)
        except OSError:
            pass

    def say(self, pod: dict, status: dict[str, Any]) -> None:
        """Sets what a pod says of itself."""
        path = f"{pod_path(pod)}/status"
        self.cluster.api.request("PATCH", path, {"status": status}, MERGE)

    def note(self, pod: dict, code: int, said: str) -> None:
        """Notes how a container ended."""
        metadata = pod["metadata"]
        job = next(each["name"] for each in metadata["ownerReferences"] if each["kind"] == "Job")
        self.ran.append(Hooked(metadata["namespace"], job, metadata["name"], code, said.strip()))

    def close(self) -> None:
        """Stops what still runs."""
        for process in list(self.running.values()):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def pod_path(pod: dict) -> str:
    """Returns the path of a pod."""
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def value_from(pod: dict, source: dict) -> str:
    """Returns a value that a pod's own fields give."""
    values = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "metadata.uid": pod["metadata"]["uid"],
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
    }
    return values[source["fieldRef"]["fieldPath"]]


def terminated(container: dict, code: int) -> dict:
    """Returns the status of a container that has ended."""
    state = {"exitCode": code, "reason": "Error" if code else "Completed"}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": state},
    }
