"""The child process that is the llama.cpp engine, spoken to as `engine_child` says.

`python -m llmos_jupyter.engines.starting.llama_cpp_server`.
"""

from __future__ import annotations

from typing import Any

from llmos_jupyter.engines.starting import engine_child, llama_cpp_devices


def main() -> int:
    settings, answer = engine_child.begin()
    try:
        import xllamacpp
    except ImportError as error:  # a wheel for CUDA without its libraries, or without a driver
        engine_child.say(
            answer,
            sentence=f"llama.cpp cannot be loaded ({error}): for a wheel with CUDA run `pip install "
            '"llmos-jupyter[cuda]"`, else `pip install --force-reinstall xllamacpp`.',
        )
        return 1

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
    device = _on(xllamacpp, params, settings["gpu"])
    if device is None:
        engine_child.say(answer, sentence=f"{settings['gpu']} is not there any more: choose another with `--device`.")
        return 1
    params.slot_save_path = settings["states"]
    params.cache_ram_mib = settings["cache_mib"]
    params.endpoint_slots = True
    params.endpoint_metrics = True
    params.ui = False
    # Where a model can think before it answers: thousands of tokens, and at these sizes no better code.
    params.default_template_kwargs = {"enable_thinking": "false"}
    params.enable_reasoning = 0
    params.warmup = False
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        engine_child.say(answer, error=str(error))
        return 1
    engine_child.say(answer, address=server.listening_address, device=device)
    return engine_child.until_alone()


def _on(xllamacpp: Any, params: Any, gpu: str) -> str | None:
    """Have the model computed on one GPU, or on the processor alone; says on which, None if that GPU is not there."""
    if not gpu:
        params.n_gpu_layers = 0
        # Else long batches would be computed on a GPU all the same.
        params.no_op_offload = params.no_kv_offload = True
        return "cpu"
    names = [found["name"] for found in llama_cpp_devices.gpus()]
    if gpu not in names:
        return None
    params.split_mode = xllamacpp.llama_split_mode.LLAMA_SPLIT_MODE_NONE
    params.main_gpu = names.index(gpu)
    return str(llama_cpp_devices.gpus()[names.index(gpu)]["description"])


if __name__ == "__main__":
    raise SystemExit(main())
