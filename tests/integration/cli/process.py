"""The command line in processes of its own: with pipes, or in a terminal."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

COMMAND = [sys.executable, "-W", "error", "-m", "fairlead"]
SECONDS = 30


def environment(**more):
    """What a process is given: no keys, no settings, and nothing of its user's."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": "/nonexistent", "PYTHONUTF8": "1", **more}


def fairlead(*arguments, stdin="", cwd=None, **variables):
    """Run it to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=not isinstance(stdin, bytes),
        timeout=SECONDS,
        check=False,
        cwd=cwd,
        env=environment(**variables),
    )


class Terminal:
    """It runs in a terminal that tests type into."""

    def __init__(self, *arguments, columns=80, stdout=None, **variables):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        out = theirs if stdout is None else os.open(stdout, os.O_CREAT | os.O_WRONLY)
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=theirs,
            stdout=out,
            stderr=theirs,
            env=environment(TERM="xterm", **variables),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        for each in {theirs, out}:
            os.close(each)
        self.screen = ""
        self._seen = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def type(self, text):
        os.write(self._ours, text.encode())

    def wait_for(self, text):
        """Read until *text* is shown, after what has been waited for before."""
        self._read_until(lambda: text in self.screen[self._seen :], text)
        self._seen = self.screen.index(text, self._seen) + len(text)

    def interrupt(self, *, until):
        """
        Press Ctrl-C, and once more after each second in which *until* is not shown.

        Python sleeps through one that comes while readline is busy with a key, up to the next.
        """
        self.type("\x03")
        while until not in self.screen[self._seen :]:
            if not self._read(1):
                self.type("\x03")
        self.wait_for(until)

    def status(self):
        """Wait until it has ended; its exit status."""
        self._read_until(lambda: self.process.poll() is not None, "the end")
        self._read(0.1)
        return self.process.returncode

    def _read_until(self, done, what):
        until = time.monotonic() + SECONDS
        while not done():
            if time.monotonic() > until:
                raise AssertionError(f"no {what!r} in {self.screen!r}")
            self._read(0.1)

    def _read(self, seconds):
        """Whether there was anything to read."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):  # the other side has been closed
            told = os.read(self._ours, 65_536).decode(errors="replace")
            plain = re.sub(r"\x1b\[\?2004[hl]|\x1b\[K|\r", "", told)
            self.screen += plain
        return True
