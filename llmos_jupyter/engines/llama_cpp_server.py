"""The child process that is the llama.cpp engine: `python -m llmos_jupyter.engines.llama_cpp_server`, spoken to as
`engine_child` says."""

from __future__ import annotations

from llmos_jupyter.engines import engine_child


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
    params.slot_save_path = settings["states"]
    params.cache_ram_mib = settings["cache_mib"]
    params.endpoint_slots = True
    params.endpoint_metrics = True
    params.ui = False
    params.warmup = False
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        engine_child.say(answer, error=str(error))
        return 1
    # llama.cpp puts a model's layers on the GPUs that its build knows, if there are any.
    gpus = [device["description"] for device in xllamacpp.get_device_info() if "GPU" in str(device["type"])]
    device = gpus[0] if gpus else "cpu"
    engine_child.say(answer, address=server.listening_address, device=device)
    return engine_child.until_alone()


if __name__ == "__main__":
    raise SystemExit(main())
