"""Runs the emulator in this process, and optionally for no longer than the process that started it.

With `--lifeline`, standard input is a pipe whose other end the starter holds. When the starter ends,
however it ends (SIGKILL included), the pipe closes and the emulator stops as if told to: a test run never
leaves one behind.
"""

import os
import signal
import sys
import threading


def stop_when_the_pipe_closes() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if "--lifeline" in sys.argv:
    threading.Thread(target=stop_when_the_pipe_closes, daemon=True).start()

# The emulator parses the command line itself and refuses words that it does not know.
sys.argv = ["ministack"]

from ministack.app import main  # noqa: E402  (its settings are read at import, so nothing may come later)

main()

# Ended as asked, its state saved. After a crash this file is missing, and the next start knows.
marker = os.environ.get("LOCKSTEP_SAVED_MARKER")
if marker:
    open(marker, "w").close()
