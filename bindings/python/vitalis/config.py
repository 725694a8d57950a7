# SPDX-License-Identifier: Apache-2.0
"""What a user may set, as files, environments and command lines have it: one table of settings,
which docs/configuration.md lists. One thread at a time.

    config = vitalis.Config()
    config.load({"runtime": {"threads": 4}}, origin="settings.toml")
    config.set("sampling.temperature", 0)
    with vitalis.Model(path, **config.engine_options(), **config.session_options()) as model:
        model.chat("Hello", **config.generate_options(), **config.system_options())
"""

import ctypes
import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Mapping, Optional, Union

from . import _abi
from ._native import Handle, bytes_from, c_string, check, encoded, filled, lib, str_of

_TYPES = {
    _abi.SETTING_BOOLEAN: "boolean",
    _abi.SETTING_INTEGER: "integer",
    _abi.SETTING_REAL: "real",
    _abi.SETTING_TEXT: "text",
    _abi.SETTING_CHOICE: "choice",
    _abi.SETTING_SIZE: "size",
}
_EFFORTS = {_abi.EFFORT_LOW: "low", _abi.EFFORT_MEDIUM: "medium", _abi.EFFORT_HIGH: "high"}


@dataclass(frozen=True)
class Setting:
    """A setting and its value, all as text; "" is nothing. `type` is "boolean", "integer", "real",
    "text", "choice" or "size"."""

    key: str  # "runtime.threads"
    type: str
    value: str  # in force
    origin: str  # of the value; "" if the default holds
    is_set: bool
    default_value: str
    otherwise: str  # what holds without a value, in words
    expected: str  # "a number, 1 to 1024"
    choices: str  # "low|medium|high"
    help: str
    flag: str  # of the program: "--threads"
    environment: str  # "VITALIS_RUNTIME_THREADS"
    variable: str  # other programs' names for it in the environment, between spaces
    harmless: bool  # may come from a file that lay with other people's files


class Config(Handle):
    """Settings with their values. The library reads no file and no environment for it: hand in what
    you have, the weakest first, since a later value replaces an earlier. Iterating gives each
    Setting; config["runtime.threads"] is one, KeyError if there is none."""

    _release = lib.vitalis_config_release

    def __init__(self) -> None:
        out = ctypes.c_void_p()
        check(lib.vitalis_config_create(ctypes.byref(out)))
        super().__init__(out.value)

    def load(self, tree: Union[str, bytes, Mapping[str, Any]], *, origin: str = "",
             harmless: bool = False) -> "Config":
        """Sets values from a tree of sections, {"runtime": {"threads": 4}}, as JSON text or as what
        json.loads or tomllib.load makes of a file. Every problem is told in one error, and then
        nothing is changed. With `harmless`, DeniedError for settings that decide what is sent or
        kept where: for files that lay with other people's."""
        text = encoded(tree if isinstance(tree, (str, bytes))
                       else json.dumps(tree, ensure_ascii=False))
        check(lib.vitalis_config_load_json(self.handle, text, len(text), c_string(origin, "origin"),
                                           _abi.CONFIG_HARMLESS if harmless else 0))
        return self

    def set(self, key: str, value: Union[str, float, bool, None], *, origin: str = "") -> "Config":
        """Sets one value; None takes back what was set. NotFoundError names the nearest key."""
        written = json.dumps(value) if isinstance(value, (bool, int, float)) else value
        check(lib.vitalis_config_set(self.handle, c_string(key, "key"), c_string(written, "value"),
                                     c_string(origin, "origin")))
        return self

    def to_dict(self) -> Dict[str, Dict[str, Any]]:
        """All values, defaults included, as load() takes them."""
        return dict(json.loads(bytes_from(lambda *buffer: lib.vitalis_config_to_json(
            self.handle, *buffer), 4096)))

    def __iter__(self) -> Iterator[Setting]:
        index = 0
        while True:
            setting = filled(_abi.Setting)
            status = lib.vitalis_config_get(self.handle, index, ctypes.byref(setting))
            if status == _abi.ERROR_NOT_FOUND:
                return
            check(status)
            yield _setting_of(setting)
            index += 1

    def __getitem__(self, key: str) -> Setting:
        setting = filled(_abi.Setting)
        status = lib.vitalis_config_find(self.handle, c_string(key, "key"), ctypes.byref(setting))
        if status == _abi.ERROR_NOT_FOUND:
            raise KeyError(lib.vitalis_last_error().decode("utf-8", "replace"))
        check(status)
        return _setting_of(setting)

    def engine_options(self) -> Dict[str, Any]:
        """Keywords for Engine or Model."""
        options = self._fill(lib.vitalis_config_engine_options, _abi.EngineOptions)
        return {"threads": options.threads or None, "tier": _word(options.tier)}

    def session_options(self) -> Dict[str, Any]:
        """Keywords for Model or Model.session."""
        options = self._fill(lib.vitalis_config_session_options, _abi.SessionOptions)
        return {"context": options.context or None,
                "memory_budget_mib": options.memory_budget_mib or None}

    def generate_options(self) -> Dict[str, Any]:
        """Keywords for Model.chat or Session.generate."""
        options = self._fill(lib.vitalis_config_generate_options, _abi.GenerateOptions)
        return {"max_tokens": options.max_tokens or None,
                "temperature": (0.0 if options.sampling == _abi.SAMPLE_GREEDY
                                else options.temperature),
                "top_p": options.top_p or None, "top_k": options.top_k or None,
                "min_p": options.min_p or None,
                "seed": options.seed if options.flags & _abi.GENERATE_SEED else None,
                "repetition_penalty": options.repetition_penalty or None,
                "presence_penalty": options.presence_penalty or None,
                "frequency_penalty": options.frequency_penalty or None}

    def system_options(self) -> Dict[str, Any]:
        """Keywords for Model.chat or Conversation.set_system."""
        system = self._fill(lib.vitalis_config_system, _abi.System)
        return {"reasoning_effort": _EFFORTS.get(system.reasoning_effort)}

    def hub_options(self) -> Dict[str, Any]:
        """Keywords for Hub."""
        options = self._fill(lib.vitalis_config_hub_options, _abi.HubOptions)
        words = ("endpoint", "token_path", "cache_folder", "proxy", "no_proxy", "ca_file",
                 "ca_folder")
        numbers = ("rate_limit", "connections", "connect_timeout", "stall_timeout", "retries")
        return {"offline": bool(options.offline) or None,
                **{name: _word(getattr(options, name)) for name in words},
                **{name: getattr(options, name) for name in numbers}}

    def _fill(self, function: Any, struct: Any) -> Any:
        options = filled(struct)
        check(function(self.handle, ctypes.byref(options)))
        return options


def _word(text: Optional[bytes]) -> Optional[str]:
    return None if text is None else text.decode("utf-8")


def _setting_of(setting: Any) -> Setting:
    def text(name: str) -> str:
        return str_of(getattr(setting, name))

    return Setting(
        key=text("key"), type=_TYPES.get(setting.type, "text"), value=text("value"),
        origin=text("origin"), is_set=bool(setting.is_set), default_value=text("default_value"),
        otherwise=text("otherwise"), expected=text("expected"), choices=text("choices"),
        help=text("help"), flag=text("flag"), environment=text("environment"),
        variable=text("variable"), harmless=bool(setting.harmless))
