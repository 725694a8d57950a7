# SPDX-License-Identifier: Apache-2.0
"""examples/embed on a display of its own: window_test.py PROGRAM MODEL [PICTURE.png]

Types questions as a person would and looks at the window's title and at its pixels. With PICTURE it
keeps how the window looks in the middle of an answer, for the documentation."""

import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib

WIDTH, HEIGHT = 720, 480  # of the screen, and of the window when it opens
DEADLINE = 60  # seconds


def read_screen(folder):
    """The rows of the display's frame buffer, three bytes a pixel (X11/XWDFile.h has the format)."""
    with open(os.path.join(folder, "Xvfb_screen0"), "rb") as file:
        data = file.read()
    header = struct.unpack(">25I", data[:100])
    start, stride = header[0] + 12 * header[19], header[12]
    rows = []
    for y in range(HEIGHT):
        row = data[start + y * stride:start + y * stride + 4 * WIDTH]
        rgb = bytearray(3 * WIDTH)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        rows.append(bytes(rgb))
    return rows


def write_png(path, rows):
    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body +
                struct.pack(">I", zlib.crc32(kind + body)))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)))
        file.write(chunk(b"IEND", b""))


class Display:
    def __init__(self, folder):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
             "-fbdir", folder, "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            self.name = ":" + number.readline().strip()
        self.folder = folder

    def tool(self, *arguments):
        return subprocess.run(["xdotool", *arguments], env={**os.environ, "DISPLAY": self.name},
                              capture_output=True, text=True, timeout=DEADLINE,
                              check=False).stdout.strip()

    def title(self):
        return self.tool("search", "--onlyvisible", "--name", "Vitalis", "getwindowname")

    def wait_for_title(self, wanted):
        end = time.monotonic() + DEADLINE
        while self.title() != wanted:
            assert time.monotonic() < end, f"the title is {self.title()!r}, expected {wanted!r}"
            time.sleep(0.02)

    def ask(self, question):
        self.tool("type", "--delay", "1", question)
        self.tool("key", "Return")

    def written_rows(self):
        """Rows of the transcript that hold something beside its background."""
        rows = [row[3 * 14:3 * 700] for row in read_screen(self.folder)[14:418]]
        return sum(len(set(zip(row[0::3], row[1::3], row[2::3]))) > 1 for row in rows)


def converse(display, picture):
    display.wait_for_title("Vitalis (ready)")
    empty = display.written_rows()
    display.ask("My name is Anna.")
    end = time.monotonic() + DEADLINE
    while display.written_rows() < empty + 20:  # a question and an answer of one line each
        assert time.monotonic() < end, "no answer came to the window"
        time.sleep(0.02)
    display.wait_for_title("Vitalis (ready)")
    one = display.written_rows()
    display.ask("Tell me a story about a fox named Mia.")
    frames = []
    while picture and len(frames) < 40:
        frames.append(read_screen(display.folder))
    while display.written_rows() < one + 30:
        assert time.monotonic() < end, "no second answer came to the window"
        time.sleep(0.02)
    display.wait_for_title("Vitalis (ready)")
    if picture:
        streaming = [frame for i, frame in enumerate(frames) if frame not in frames[i + 1:]]
        write_png(picture, streaming[len(streaming) // 2])


def main(program, model, picture=None):
    with tempfile.TemporaryDirectory() as folder:
        display = Display(folder)
        host = None
        try:
            host = subprocess.Popen([program, model], env={
                **os.environ, "DISPLAY": display.name, "QT_QPA_PLATFORM": "xcb",
                "XDG_RUNTIME_DIR": folder})
            converse(display, picture)
            assert host.poll() is None, "the program ended by itself"
        finally:
            if host:
                host.terminate()
                host.wait()
            display.server.terminate()
            display.server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
