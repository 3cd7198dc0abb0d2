"""The child process that is the llama.cpp engine: `python -m llmos_jupyter.engines.llama_cpp_server`.

One line of JSON on standard input says what to serve (a secret on the command line could be read by other
users). One line of JSON on standard output says where it listens, or why it cannot. It ends when its standard input
closes, so that it never outlives the daemon, however the daemon died.
"""

from __future__ import annotations

import json
import os
import sys


def die_with_parent() -> None:
    """Ask Linux to end this process with the daemon, also while a model is being loaded."""
    if sys.platform == "linux":
        import ctypes
        import signal

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def main() -> int:
    die_with_parent()
    settings = json.loads(sys.stdin.readline())
    # llama.cpp writes to descriptor 1 as well: keep the pipe to the daemon for our own line.
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = {settings["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["api_key"]]
    params.n_parallel = settings["slots"]
    # All slots draw on one store of context: candidates share the prompt they were read from.
    params.kv_unified = True
    params.n_ctx = settings["held"]
    # A batch is what cannot be interrupted: 32 tokens take 0.75 s at the 43 tokens/s at which a 1.5B
    # model reads on two cores. On a processor small batches are read as fast as large ones.
    params.n_batch = params.n_ubatch = settings["batch"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    # Threads that wait for work sleep instead of spinning: the notebook needs the cores then.
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.slot_save_path = settings["states"]
    params.cache_ram_mib = settings["cache_mib"]
    params.endpoint_slots = True
    params.endpoint_metrics = True
    params.ui = False
    params.warmup = False
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        print(json.dumps({"error": str(error)}), file=reply, flush=True)
        return 1
    # llama.cpp puts a model's layers on the GPUs that its build knows, if there are any.
    gpus = [device["description"] for device in xllamacpp.get_device_info() if "GPU" in str(device["type"])]
    device = gpus[0] if gpus else "cpu"
    print(json.dumps({"address": server.listening_address, "device": device}), file=reply, flush=True)
    sys.stdin.read()
    # The server's own shut-down waits for running requests; nobody is left to read them.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
