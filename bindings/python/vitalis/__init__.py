# SPDX-License-Identifier: Apache-2.0
"""Vitalis: gpt-oss models on this machine's CPU.

    import vitalis

    with vitalis.Model("gpt-oss-20b") as model:
        for event in model.chat("What is the capital of France?"):
            if isinstance(event, vitalis.Text) and event.channel == "final":
                print(event.text, end="", flush=True)
"""

from ._native import lib as _lib
from .chat import Chat
from .completions import ChatCompletion, ChatCompletionChunk
from .config import Config, Setting
from .conversation import Conversation, render_template
from .errors import (BusyError, ContextFullError, DeniedError, InputOutputError, IntegrityError,
                     InternalError, InvalidArgumentError, MalformedError, ModelNotFoundError,
                     NetworkError, NotFoundError, OutOfMemoryError, UnsupportedError, VitalisError)
from .events import (Diagnostic, Event, Finished, MessageBegin, MessageEnd, Prefill, Text, ToolCall,
                     ToolResult)
from .hub import Hub, Progress, Transfer
from .memory_plan import Plan, plan
from .model import Engine, Model, ModelInfo, Tensor
from .parser import Parser
from .quantize import Quantization, QuantizeProgress, QuantizeReport
from .session import Batch, Logprob, Session, SessionMemory, Usage
from .tokenizer import Decoder, Encoding, Prefix, Tokenizer
from .tools import tool_schema
from .verification import Verification, VerifiedFile, VerifyProgress

__version__: str = _lib.vitalis_version_string().decode("utf-8")

__all__ = [
    "Batch", "BusyError", "Chat", "ChatCompletion", "ChatCompletionChunk", "Config",
    "ContextFullError", "Conversation", "Decoder", "DeniedError", "Diagnostic", "Encoding",
    "Engine", "Event", "Finished", "Hub", "InputOutputError", "IntegrityError", "InternalError",
    "InvalidArgumentError", "Logprob", "MalformedError", "MessageBegin", "MessageEnd", "Model",
    "ModelInfo", "ModelNotFoundError", "NetworkError", "NotFoundError", "OutOfMemoryError",
    "Parser", "Plan", "Prefill", "Prefix", "Progress", "Quantization", "QuantizeProgress",
    "QuantizeReport", "Session", "SessionMemory", "Setting", "Tensor", "Text", "Tokenizer",
    "ToolCall", "ToolResult", "Transfer", "UnsupportedError", "Usage", "Verification",
    "VerifiedFile", "VerifyProgress", "VitalisError", "plan", "render_template", "tool_schema",
]
