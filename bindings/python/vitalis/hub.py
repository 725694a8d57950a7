# SPDX-License-Identifier: Apache-2.0
"""Models from the hub, and those on this machine: sign in, download, update, go back.

    hub = vitalis.Hub()
    for progress in hub.download("gpt-oss-20b"):
        print(f"{progress.bytes_landed} of {progress.bytes_total}")
    model = vitalis.Model(hub.locate("gpt-oss-20b")["folder"])

The dicts are those of docs/models.md. A Hub belongs to one thread at a time, and so does a Transfer;
cancel, pause and resume may be called from any.
"""

import ctypes
import json
import os
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from . import _abi
from ._native import (Handle, bytes_of, c_path, c_string, check, chosen, encoded, filled,
                      is_bundled, lib, str_of, whole)

# Where distributions keep the certificates that they trust.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
_Path = Union[str, "os.PathLike[str]", None]
_STAGES = ("locked", "working", "paused", "done", "cancelled")
_POLICIES = {"pinned": 0, "notify": 1, "config-only": 2, "auto": 3}


def _home() -> str:
    """Where Hugging Face's tools keep models and tokens."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    home = os.environ.get("HF_HOME") or os.path.join(cache, "huggingface")
    return os.path.expanduser(home)


def _is_true(name: str) -> bool:
    return os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")


def _certificates() -> Tuple[Optional[str], Optional[str]]:
    """A file and a folder of certificates on this system, for a library that was built on another
    and looks where they are kept there: what Python's own connections trust, or what there is."""
    try:
        import ssl
    except ImportError:  # a Python without it
        file, folder = None, None
    else:
        known = ssl.get_default_verify_paths()
        file, folder = known.cafile, known.capath
    return file or next((path for path in _BUNDLES if os.path.isfile(path)), None), folder


@dataclass(frozen=True)
class Progress:
    """How far a download is. `files` has a dict for each: path, size, landed, verified, done."""

    stage: str  # "locked", "working", "paused", "done" or "cancelled"
    bytes_total: int
    bytes_landed: int
    bytes_verified: int
    bytes_fetched: int
    bytes_per_second: float
    seconds_left: Optional[float]
    note: str  # why it waits
    files: List[Dict[str, Any]]


class Transfer(Handle):
    """A download in progress: iterating works and gives a Progress about ten times a second, the last
    one when it is over. What landed stays, for the next download to go on from."""

    _release = lib.vitalis_transfer_release

    @property
    def plan(self) -> Dict[str, Any]:
        """Commit, folder, bytes and files."""
        return _told(lib.vitalis_transfer_plan, self.handle)

    @property
    def folder(self) -> str:
        """Where the model is when it is done."""
        return str(self.plan["folder"])

    def __iter__(self) -> Iterator[Progress]:
        while True:
            progress = filled(_abi.TransferProgress)
            status = check(lib.vitalis_transfer_next(self.handle, ctypes.byref(progress)))
            yield self._translated(progress)
            if status != _abi.OK:
                return

    def run(self) -> str:
        """To its end; the folder."""
        for _ in self:
            pass
        return self.folder

    @property
    def notices(self) -> List[str]:
        """As Hub.notices."""
        return _told_list(lib.vitalis_transfer_notices, self.handle)

    def pause(self) -> None:
        lib.vitalis_transfer_pause(self.handle)

    def resume(self) -> None:
        lib.vitalis_transfer_resume(self.handle)

    def cancel(self) -> None:
        lib.vitalis_transfer_cancel(self.handle)

    def set_rate_limit(self, bytes_per_second: int) -> None:
        """0: none."""
        lib.vitalis_transfer_set_rate_limit(self.handle, bytes_per_second)

    def _translated(self, progress: Any) -> Progress:
        note = str_of(progress.note)
        files = []
        for index in range(progress.files):
            file = filled(_abi.TransferFile)
            check(lib.vitalis_transfer_get_file(self.handle, index, ctypes.byref(file)))
            files.append({"path": str_of(file.path), "size": file.size, "landed": file.landed,
                          "verified": file.verified, "done": file.state == _abi.FILE_DONE})
        return Progress(_STAGES[progress.stage], progress.bytes_total, progress.bytes_landed,
                        progress.bytes_verified, progress.bytes_fetched,
                        progress.bytes_per_second,
                        progress.seconds_left if progress.seconds_left >= 0 else None, note, files)


class Hub(Handle):
    """The hub or a mirror of it, and the models on this machine.

    What is not given is as Hugging Face's tools have it: HF_ENDPOINT, HF_TOKEN, HF_HOME,
    HF_HUB_CACHE, HF_TOKEN_PATH, HF_HUB_OFFLINE, SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY and
    NO_PROXY.

    A model's name is "openai/gpt-oss-20b", "gpt-oss-20b", either with "@REVISION", or "hf://…"."""

    _release = lib.vitalis_hub_release

    def __init__(self, *, endpoint: Optional[str] = None, token: Optional[str] = None,
                 token_path: _Path = None, cache_folder: _Path = None,
                 offline: Optional[bool] = None, proxy: Optional[str] = None,
                 no_proxy: Optional[str] = None, ca_file: _Path = None, ca_folder: _Path = None,
                 user_agent: Optional[str] = None, rate_limit: int = 0, connections: int = 0,
                 connect_timeout: int = 0, stall_timeout: int = 0, retries: int = 0) -> None:
        """`no_proxy` are hosts that go without the proxy, between commas; `user_agent` is your
        program's "name/version"; the rate limit counts bytes in a second, timeouts are seconds, and
        0 is the default of each."""
        environment = os.environ.get
        home = _home()
        options = filled(_abi.HubOptions)
        options.endpoint = c_string(endpoint or environment("HF_ENDPOINT") or None, "endpoint")
        options.token = c_string(token or environment("HF_TOKEN") or None, "token")
        options.token_path = c_path(
            token_path or environment("HF_TOKEN_PATH") or os.path.join(home, "token"), "token_path")
        options.cache_folder = c_path(
            cache_folder or environment("HF_HUB_CACHE") or os.path.join(home, "hub"),
            "cache_folder")
        options.offline = int(_is_true("HF_HUB_OFFLINE") if offline is None else offline)
        options.proxy = c_string(proxy or environment("HTTPS_PROXY") or environment("https_proxy")
                                 or None, "proxy")
        options.no_proxy = c_string(no_proxy or environment("NO_PROXY") or environment("no_proxy")
                                    or None, "no_proxy")
        ca_file = ca_file or environment("SSL_CERT_FILE") or None
        ca_folder = ca_folder or environment("SSL_CERT_DIR") or None
        if is_bundled and ca_file is None and ca_folder is None:
            ca_file, ca_folder = _certificates()
        options.ca_file = c_path(ca_file, "ca_file")
        options.ca_folder = c_path(ca_folder, "ca_folder")
        options.user_agent = c_string(user_agent, "user_agent")
        options.rate_limit = whole("rate_limit", rate_limit, 2**64 - 1, lowest=0)
        options.connections = whole("connections", connections, lowest=0)
        options.connect_timeout = whole("connect_timeout", connect_timeout, lowest=0)
        options.stall_timeout = whole("stall_timeout", stall_timeout, lowest=0)
        options.retries = whole("retries", retries, lowest=0)
        out = ctypes.c_void_p()
        check(lib.vitalis_hub_create(ctypes.byref(options), ctypes.byref(out)))
        super().__init__(out.value)

    def cancel(self) -> None:
        """The request under way fails, as does each later one. Any thread."""
        lib.vitalis_hub_cancel(self.handle)

    @property
    def notices(self) -> List[str]:
        """What people should hear about the last calls, each once."""
        return _told_list(lib.vitalis_hub_notices, self.handle)

    def login(self, token: str, name: Optional[str] = None) -> Dict[str, Any]:
        """Checks the token with the hub and stores it where Hugging Face's tools find it too."""
        data = encoded(token)
        return _told(lib.vitalis_hub_login, self.handle, data, len(data), c_string(name, "name"))

    def whoami(self) -> Dict[str, Any]:
        """DeniedError if nobody is signed in."""
        return _told(lib.vitalis_hub_whoami, self.handle)

    def begin_login(self, client_id: str, *,
                    scope: str = "openid profile read-repos gated-repos") -> Dict[str, Any]:
        """Begins to sign in by a code: tell the person `verification_uri` and `user_code`, then
        call poll_login() every `interval` seconds. `client_id` is your application's, registered
        with the hub."""
        return _told(lib.vitalis_hub_begin_login, self.handle,
                     c_string(client_id, "client_id"), c_string(scope, "scope"))

    def poll_login(self) -> Optional[Dict[str, Any]]:
        """None while the person has not decided; as whoami() when signed in, DeniedError if refused
        or too late."""
        identity = _lent(lib.vitalis_hub_poll_login, self.handle)
        return dict(json.loads(identity)) if identity else None

    def tokens(self) -> List[Dict[str, Any]]:
        """Those stored, masked."""
        return _told_list(lib.vitalis_hub_tokens, self.handle)

    def switch(self, name: str) -> None:
        check(lib.vitalis_hub_switch(self.handle, c_string(name, "name")))

    def logout(self, name: Optional[str] = None) -> None:
        """Forgets a stored token, or all."""
        check(lib.vitalis_hub_logout(self.handle, c_string(name, "name")))

    def locate(self, name: str, revision: Optional[str] = None) -> Dict[str, Any]:
        """Where a model lies, by name or path; NotFoundError if it is not on this machine."""
        return _told(lib.vitalis_hub_locate, self.handle, c_string(name, "name"),
                     c_string(revision, "revision"))

    def models(self) -> List[Dict[str, Any]]:
        return _told_list(lib.vitalis_hub_models, self.handle)

    def list_files(self, name: str, revision: Optional[str] = None) -> Dict[str, Any]:
        """What the hub has at a revision now."""
        return _told(lib.vitalis_hub_list, self.handle, c_string(name, "name"),
                     c_string(revision, "revision"))

    def download(self, name: str, *, revision: Optional[str] = None, local_folder: _Path = None,
                 include: Sequence[str] = (), exclude: Sequence[str] = (),
                 adopt_from: Sequence[str] = (), all_files: bool = False,
                 pin: Optional[str] = None,
                 manifest: Optional[Dict[str, Any]] = None) -> Transfer:
        """Plans; iterate over the result to fetch, or call its run()."""
        options = filled(_abi.DownloadOptions)
        options.flags = _abi.DOWNLOAD_ALL if all_files else 0
        options.revision = c_string(revision, "revision")
        options.local_folder = c_path(local_folder, "local_folder")
        lists = [_strings(include, "include"), _strings(exclude, "exclude"),
                 _strings(adopt_from, "adopt_from")]
        options.includes, options.include_count = ctypes.addressof(lists[0]), len(include)
        options.excludes, options.exclude_count = ctypes.addressof(lists[1]), len(exclude)
        options.adopt_from, options.adopt_count = ctypes.addressof(lists[2]), len(adopt_from)
        options.pin = c_string(pin, "pin")
        options.manifest = None if manifest is None else json.dumps(manifest).encode("utf-8")
        out = ctypes.c_void_p()
        check(lib.vitalis_hub_download(self.handle, c_string(name, "name"), ctypes.byref(options),
                                       ctypes.byref(out)))
        return Transfer(out.value)

    def check(self, name: str, *, revision: Optional[str] = None,
              policy: str = "auto") -> Dict[str, Any]:
        """What changed at the hub since the commit that is here."""
        return _told(lib.vitalis_hub_check, self.handle, c_string(name, "name"),
                     c_string(revision, "revision"), chosen("policy", policy, _POLICIES))

    def update(self) -> Transfer:
        """What the last check() found, beside what is there; then activate()."""
        out = ctypes.c_void_p()
        check(lib.vitalis_hub_update(self.handle, ctypes.byref(out)))
        return Transfer(out.value)

    def activate(self, name: str, commit: str, revision: Optional[str] = None) -> None:
        check(lib.vitalis_hub_activate(self.handle, c_string(name, "name"),
                                       c_string(revision, "revision"), c_string(commit, "commit")))

    def rollback(self, name: str, revision: Optional[str] = None) -> str:
        """The commit that is in use again."""
        return _lent(lib.vitalis_hub_rollback, self.handle, c_string(name, "name"),
                     c_string(revision, "revision")).decode("utf-8")

    def pin(self, name: str, commit: Optional[str]) -> None:
        """None: no longer."""
        check(lib.vitalis_hub_pin(self.handle, c_string(name, "name"), c_string(commit, "commit")))

    def remove(self, name: str, commit: Optional[str] = None, *,
               dry_run: bool = False) -> Dict[str, Any]:
        """A model, or one commit of it and what no other needs."""
        return _told(lib.vitalis_hub_remove, self.handle, c_string(name, "name"),
                     c_string(commit, "commit"), int(dry_run))

    def prune(self, name: Optional[str] = None, *, keep: int = 2,
              dry_run: bool = False) -> Dict[str, Any]:
        """Unfinished downloads, and commits not in use beyond the `keep` newest."""
        return _told(lib.vitalis_hub_prune, self.handle, c_string(name, "name"), keep, int(dry_run))

    def log(self, name: str) -> List[Dict[str, Any]]:
        """What was done to the model here, oldest first."""
        lines = _lent(lib.vitalis_hub_audit, self.handle, c_string(name, "name"))
        return [json.loads(line) for line in lines.splitlines()]


def _lent(function: Any, *arguments: Any) -> bytes:
    out = _abi.Text()
    check(function(*arguments, ctypes.byref(out)))
    return bytes_of(out)


def _told(function: Any, *arguments: Any) -> Dict[str, Any]:
    """What the function tells, a JSON object."""
    told: Dict[str, Any] = json.loads(_lent(function, *arguments))
    return told


def _told_list(function: Any, *arguments: Any) -> List[Any]:
    """The same of a JSON array."""
    told: List[Any] = json.loads(_lent(function, *arguments))
    return told


def _strings(texts: Sequence[str], what: str) -> Any:
    return (ctypes.c_char_p * max(len(texts), 1))(*(c_string(os.fspath(x), what) for x in texts))
