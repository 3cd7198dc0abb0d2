"""The command line: `llmos models | status | queue | resources | trace | serve | stop | cancel | config | trust |
doctor`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from tqdm import tqdm

from llmos_jupyter import config
from llmos_jupyter._version import __version__
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.private_files import private_umask


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, 1 for an error that was explained, 130 when interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    # What a download and `trace` write is for whom the user likes.
    users = given.run in (_models_pull, _trace)
    try:
        with nullcontext() if users else private_umask():
            return int(given.run(given) or 0)
    except LLMOSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llmos", description="An LLM operating system for Jupyter.")
    parser.add_argument("--version", action="version", version=f"llmos-jupyter {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    models = commands.add_parser("models", help="which models there are, and their files").add_subparsers(
        required=True, metavar="list|pull|rm|path"
    )
    models.add_parser("list", help="all models, and which fit this machine").set_defaults(run=_models_list)
    for name, run, text in (
        ("pull", _models_pull, "download a model (resumes where it stopped)"),
        ("rm", _models_rm, "delete a model's file"),
        ("path", _models_path, "where a model's file lies"),
    ):
        command = models.add_parser(name, help=text)
        command.add_argument("name", nargs="?" if name == "pull" else None, default="auto", help="a name, or auto")
        command.set_defaults(run=run)

    commands.add_parser("status", help="the daemon and what it runs").set_defaults(run=_status)
    commands.add_parser("serve", help="run the daemon in this terminal").set_defaults(run=_serve)
    commands.add_parser("stop", help="end the daemon").set_defaults(run=_stop)
    commands.add_parser("queue", help="the tasks that wait or run, and why").set_defaults(run=_queue)
    commands.add_parser("resources", help="what there is to run on, and how much is taken").set_defaults(run=_resources)
    trace = commands.add_parser("trace", help="what ran where and when, as a file that ui.perfetto.dev opens")
    trace.add_argument("file", help="the file to write, such as trace.json")
    trace.set_defaults(run=_trace)
    cancel = commands.add_parser("cancel", help="cancel a request")
    cancel.add_argument("number", help="the request's number")
    cancel.set_defaults(run=_cancel)
    settings = commands.add_parser("config", help="show or change the settings")
    settings.add_argument("assignment", nargs="?", metavar="KEY=VALUE")
    settings.set_defaults(run=_config)
    trust = commands.add_parser("trust", help="let the answers that somebody else recorded in a file run")
    trust.add_argument("files", nargs="+", metavar="FILE", help="a recording (NAME.llmos.json), or its notebook")
    trust.set_defaults(run=_trust)
    key = commands.add_parser("key", help="keep the key of a server elsewhere in your keyring")
    key.add_argument("url", metavar="URL", help="the server's address, as in https://host/v1")
    key.set_defaults(run=_key)
    health = commands.add_parser("doctor", help="check that everything works, and how fast it is")
    health.add_argument("--measure", action="store_true", help="measure the model's speed here (it is loaded)")
    health.set_defaults(run=_doctor)
    return parser


def _models_list(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon import lifecycle
    from llmos_jupyter.daemon.client import DaemonClient
    from llmos_jupyter.engines.selection import Machine, model_infos
    from llmos_jupyter.reports.tables import model_table

    if lifecycle.find() is None:
        print(model_table(model_infos(Machine.here())))
    else:  # which knows what is loaded, and what was measured
        client = DaemonClient(start=False)
        print(model_table(client.models(), client.status().engines))


def _models_pull(given: argparse.Namespace) -> None:
    from llmos_jupyter.engines import download, selection
    from llmos_jupyter.reports.doctor import measured
    from llmos_jupyter.system.device_names import parse

    name = config.load().model if given.name == "auto" else given.name
    if name == "auto":
        choice = selection.automatic(selection.Machine.here(measured()), parse(config.load().device))
        print(f"{choice.model.name}: {choice.why}")
        model = choice.model
    else:
        model = selection.resolve(name)
    with tqdm(total=model.size_bytes or None, unit="B", unit_scale=True, desc=model.name) as bar:

        def show(progress: download.DownloadProgress) -> None:
            bar.set_description_str(f"{model.name} ({progress.phase})", refresh=False)
            bar.total = progress.total or bar.total
            bar.update(progress.done - bar.n)

        path = download.ensure(model, progress=show)
        bar.update((bar.total or 0) - bar.n)
    print(path)


def _models_rm(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon import lifecycle
    from llmos_jupyter.daemon.client import DaemonClient
    from llmos_jupyter.engines import download, selection
    from llmos_jupyter.units import size

    model = selection.resolve(given.name)
    # A running daemon may have the file open: it unloads the model first.
    freed = DaemonClient(start=False).remove(model.name) if lifecycle.find() else download.remove(model)
    print(f"{size(freed)} freed." if freed else f"{model.name} was not downloaded.")


def _key(given: argparse.Namespace) -> None:
    """Asked for, or read from a pipe: on the command line other users could read it."""
    import getpass

    from llmos_jupyter.engines.speaking import address

    server = address.parse(given.url)
    ask = f"Key of {server.origin} (empty: forget it): "
    key = getpass.getpass(ask) if sys.stdin.isatty() else sys.stdin.readline()
    address.keep_key(server, key.strip())
    print(f"The key of {server.origin} is {'kept in' if key.strip() else 'gone from'} your keyring.")


def _models_path(given: argparse.Namespace) -> None:
    from llmos_jupyter.engines import download, selection

    model = selection.resolve(given.name)
    path = download.downloaded(model)
    if path is None:
        raise LLMOSError(f"{model.name} is not here: `llmos models pull {model.name}` fetches it.")
    print(path)


def _status(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon import lifecycle
    from llmos_jupyter.daemon.client import DaemonClient
    from llmos_jupyter.reports.tables import status_text

    if lifecycle.find() is None:
        print("No llmos daemon is running; the first request starts it.")
    else:
        print(status_text(DaemonClient(start=False).status()))


def _serve(given: argparse.Namespace) -> int:
    from llmos_jupyter.daemon.serving import serve

    return serve()


def _stop(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon.lifecycle import stop

    print("The llmos daemon has ended." if stop() else "No llmos daemon was running.")


def _queue(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon import lifecycle
    from llmos_jupyter.daemon.client import DaemonClient
    from llmos_jupyter.widgets.queue import queue_text

    if lifecycle.find() is None:
        print("No llmos daemon is running; the first request starts it.")
        return
    client = DaemonClient(start=False)
    print(queue_text(client.queue()))


def _resources(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon.client import DaemonClient
    from llmos_jupyter.reports.tables import resource_table

    print(resource_table(DaemonClient().resources()))


def _trace(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon.client import DaemonClient
    from llmos_jupyter.session.tasks import write_trace

    print(write_trace(DaemonClient(), given.file))


def _cancel(given: argparse.Namespace) -> None:
    from llmos_jupyter.daemon.client import DaemonClient

    task = DaemonClient(start=False).cancel(given.number)
    print(f"Request {task.number} is {task.state}.")


def _config(given: argparse.Namespace) -> None:
    settings = config.change(given.assignment) if given.assignment else config.load()
    print(config.table(settings))


def _trust(given: argparse.Namespace) -> None:
    from llmos_jupyter.agent.replay.recording import recording_named, trusted

    for file in given.files:
        print(trusted(recording_named(file)))


def _doctor(given: argparse.Namespace) -> None:
    from llmos_jupyter.reports import doctor

    print(doctor.report(measure=given.measure))


if __name__ == "__main__":
    raise SystemExit(main())
