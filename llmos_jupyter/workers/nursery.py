"""The process that workers are forked from, so that a fresh kernel costs a tenth of a second, not a second.

It has all modules of a kernel loaded, one thread, no socket of ZeroMQ and no variable of anybody. For each order that
comes through its standard input, a Unix socket, it forks a guardian, which forks the kernel. It ends when the socket
closes, that is when the daemon ends; the workers have sockets of their own to notice that by.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from typing import NoReturn

ORDER_BYTES = 64 * 1024
# Loaded before ipykernel, tqdm draws with text, which can be shown as it comes. With widgets only the notebook's kernel
# can speak.
LOADED = ("tqdm.auto", "ipykernel.kernelapp", "cloudpickle", "threadpoolctl", "llmos_jupyter.workers.inside")


def main() -> NoReturn:
    for module in LOADED:
        importlib.import_module(module)
    from llmos_jupyter.workers import guardian
    from llmos_jupyter.workers.order import Order

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # guardians leave no remains
    if threading.active_count() != 1:
        sys.exit("the nursery has more than one thread and cannot fork safely")
    orders = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    orders.sendall(b"ready\n")
    while True:
        text, descriptors, _, _ = socket.recv_fds(orders, ORDER_BYTES, 1)
        if not text:
            os._exit(0)
        if os.fork() == 0:
            try:
                orders.close()
                guardian.guard(socket.socket(fileno=descriptors[0]), Order(**json.loads(text)))
            except BaseException:  # a fork of this process may not go on as if it were the nursery
                traceback.print_exc()
            os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)
        orders.sendall(b"forked\n")


if __name__ == "__main__":
    main()
