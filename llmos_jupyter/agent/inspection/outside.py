"""Which calls reach outside the namespace.

Functions are named by the path under which they are documented (`os.system`), whatever name they have
in the candidate; a method by the class it is called on (`pathlib.Path().unlink`). A blocklist always
leaks: this is for telling the user, the lock of the rehearsal is what holds.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.words import words
from llmos_jupyter.protocol import Capability

READ, WRITE, NET = Capability.READ_FILES, Capability.WRITE_FILES, Capability.NETWORK
PROC, INSTALL, EXIT, INPUT = Capability.PROCESSES, Capability.INSTALL, Capability.EXIT, Capability.INPUT


def _paths(prefix: str, names: str) -> list[str]:
    return [f"{prefix}.{name}" for name in names.split()]


# What changes or watches the kernel itself, asked for each time like its end.
KERNEL = frozenset(
    [
        *_paths("sys", "addaudithook settrace setprofile setrecursionlimit"),
        *_paths("threading", "settrace setprofile settrace_all_threads setprofile_all_threads"),
        *_paths("signal", "signal alarm setitimer raise_signal pthread_kill set_wakeup_fd"),
        *_paths("gc", "get_objects get_referrers"),
        *_paths("ctypes", "CDLL PyDLL WinDLL memset memmove string_at cast"),
        *_paths("os", "closerange dup2"),
        *_paths("atexit", "register unregister _clear"),
        *_paths("faulthandler", "_sigsegv _sigabrt _sigfpe _fatal_error"),
        "resource.setrlimit",
    ]
)

# Functions whose every call reaches outside.
ALWAYS: dict[str, Capability] = {
    **dict.fromkeys(
        ["builtins.input", "getpass.getpass", "builtins.breakpoint", "pdb.set_trace", "IPython.embed"], INPUT
    ),
    **dict.fromkeys(_paths("sys.stdin", "read readline readlines"), INPUT),
    **dict.fromkeys(["builtins.exit", "builtins.quit", "sys.exit", "os._exit", "os.abort"], EXIT),
    **dict.fromkeys(KERNEL, Capability.KERNEL),
    **dict.fromkeys(_paths("os", "system popen fork forkpty kill killpg posix_spawn posix_spawnp startfile"), PROC),
    **dict.fromkeys(_paths("os", "execl execle execlp execlpe execv execve execvp execvpe"), PROC),
    **dict.fromkeys(_paths("os", "spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe"), PROC),
    **dict.fromkeys(_paths("subprocess", "run call check_call check_output Popen getoutput getstatusoutput"), PROC),
    **dict.fromkeys(_paths("asyncio", "create_subprocess_exec create_subprocess_shell"), PROC),
    **dict.fromkeys(_paths("multiprocessing", "Process Pool Manager get_context Queue"), PROC),
    **dict.fromkeys(
        ["multiprocessing.pool.Pool", "concurrent.futures.ProcessPoolExecutor", "pty.spawn", "pty.fork"], PROC
    ),
    **dict.fromkeys(["concurrent.futures.process.ProcessPoolExecutor", "runpy.run_module"], PROC),
    **dict.fromkeys(["pip.main", "pip._internal.main", "ensurepip.bootstrap", "micropip.install"], INSTALL),
    **dict.fromkeys(
        _paths("os", "remove unlink rename renames replace mkdir makedirs rmdir removedirs link symlink"), WRITE
    ),
    **dict.fromkeys(_paths("os", "chmod chown truncate mkfifo utime write ftruncate"), WRITE),
    **dict.fromkeys(_paths("shutil", "rmtree move copy copy2 copyfile copytree copymode copystat chown"), WRITE),
    **dict.fromkeys(_paths("shutil", "make_archive unpack_archive copyfileobj"), WRITE),
    **dict.fromkeys(_paths("tempfile", "NamedTemporaryFile TemporaryFile TemporaryDirectory mkdtemp mkstemp"), WRITE),
    **dict.fromkeys(
        _paths("logging", "FileHandler handlers.RotatingFileHandler handlers.TimedRotatingFileHandler"), WRITE
    ),
    **dict.fromkeys(_paths("numpy", "save savez savez_compressed savetxt"), WRITE),
    **dict.fromkeys(["matplotlib.pyplot.savefig", "matplotlib.pyplot.imsave", "joblib.dump", "torch.save"], WRITE),
    **dict.fromkeys(["shelve.open", "dbm.open", "cv2.imwrite", "imageio.imwrite", "scipy.io.savemat"], WRITE),
    **dict.fromkeys(["pandas.ExcelWriter", "pandas.HDFStore", "scipy.io.wavfile.write", "plotly.io.write_html"], WRITE),
    **dict.fromkeys(["plotly.io.write_image", "plotly.io.write_json", "plotly.offline.plot"], WRITE),
    **dict.fromkeys(
        ["pickle.dump", "json.dump", "yaml.dump_all", "marshal.dump", "dill.dump", "cloudpickle.dump"], WRITE
    ),
    **dict.fromkeys(_paths("numpy", "load loadtxt genfromtxt fromfile"), READ),
    **dict.fromkeys(_paths("os", "listdir scandir walk readlink"), READ),
    **dict.fromkeys(_paths("glob", "glob iglob"), READ),
    **dict.fromkeys(["json.load", "pickle.load", "tomllib.load", "joblib.load", "torch.load", "dill.load"], READ),
    **dict.fromkeys(
        ["cloudpickle.load", "marshal.load", "configparser.ConfigParser().read", "linecache.getline"], READ
    ),
    **dict.fromkeys(["matplotlib.pyplot.imread", "matplotlib.image.imread", "PIL.Image.open", "cv2.imread"], READ),
    **dict.fromkeys(["imageio.imread", "imageio.v2.imread", "imageio.v3.imread", "scipy.io.loadmat"], READ),
    **dict.fromkeys(["fileinput.input", "tokenize.open", "runpy.run_path", "scipy.io.wavfile.read"], READ),
    **dict.fromkeys(["pyarrow.parquet.read_table", "pyarrow.csv.read_csv", "geopandas.read_file"], READ),
    **dict.fromkeys(["webbrowser.open", "webbrowser.open_new", "webbrowser.open_new_tab"], NET),
    **dict.fromkeys(
        ["seaborn.load_dataset", "datasets.load_dataset", "nltk.download", "kagglehub.dataset_download"], NET
    ),
    **dict.fromkeys(["statsmodels.datasets.get_rdataset", "torch.hub.load"], NET),
    **dict.fromkeys(["asyncio.open_connection", "asyncio.start_server", "sqlalchemy.create_engine"], NET),
}

# Modules whose every function reaches the network.
_NET_MODULES = (
    "requests", "urllib.request", "urllib3", "httpx", "aiohttp", "socket", "socketserver", "smtplib", "ftplib",
    "paramiko", "boto3", "botocore", "websocket", "websockets", "telnetlib", "imaplib", "poplib", "nntplib",
    "xmlrpc", "http.client", "http.server", "asyncssh", "openai", "anthropic", "yfinance", "pandas_datareader",
    "huggingface_hub", "kaggle", "gdown", "wget", "selenium", "playwright", "psycopg2", "pymongo", "redis",
    "pymysql", "google.cloud", "tweepy", "praw", "wikipedia", "gspread", "fabric", "pexpect.pxssh",
)  # fmt: skip
_NET_METHODS = words(
    "get post put delete patch head options request send sendall sendto recv connect connect_ex bind "
    "listen sendmail send_message login retrbinary storbinary urlopen open fetch"
)
_NO_NET = frozenset({"socket.gethostname", "socket.inet_aton", "socket.inet_ntoa", "socket.htons", "socket.ntohs"})
_PROC_MODULES = ("pexpect", "sh", "plumbum", "ptyprocess")

# Functions that open a file, with the position of their mode and its default.
OPENERS: dict[str, tuple[int, str]] = {
    "builtins.open": (1, "r"), "io.open": (1, "r"), "codecs.open": (1, "r"), "gzip.open": (1, "rb"),
    "bz2.open": (1, "rb"), "lzma.open": (1, "rb"), "tarfile.open": (1, "r"), "zipfile.ZipFile": (1, "r"),
    "gzip.GzipFile": (1, "rb"), "bz2.BZ2File": (1, "rb"), "lzma.LZMAFile": (1, "rb"), "tarfile.TarFile": (1, "r"),
    "h5py.File": (1, "r"), "pathlib.Path().open": (0, "r"), "numpy.memmap": (2, "r+"), "io.FileIO": (1, "r"),
    "wave.open": (1, "r"), "fsspec.open": (1, "rb"), "os.fdopen": (1, "r"), "netCDF4.Dataset": (1, "r"),
    "aiofiles.open": (1, "r"),
}  # fmt: skip

_PATH_METHODS = {
    **dict.fromkeys(
        words(
            "write_text write_bytes unlink mkdir rmdir rename replace touch chmod symlink_to hardlink_to copy "
            "copy_into move move_into lchmod link_to"
        ),
        WRITE,
    ),
    **dict.fromkeys(words("read_text read_bytes iterdir glob rglob walk readlink"), READ),
}
# Methods distinctive enough to be told by their name when the object is not known.
_BY_NAME = {
    **dict.fromkeys(
        words(
            "write_text write_bytes symlink_to hardlink_to savefig write_html write_image write_csv "
            "write_parquet write_excel write_ndjson write_ipc write_avro write_delta sink_csv sink_parquet "
            "sink_ipc sink_ndjson tofile unlink rmdir mkdir extractall"
        ),
        WRITE,
    ),
    **dict.fromkeys(["read_text", "read_bytes", "iterdir", "rglob"], READ),
    **dict.fromkeys(["sendmail"], NET),
    **dict.fromkeys(["ask_exit", "do_shutdown"], EXIT),
    **dict.fromkeys(["from_pretrained", "push_to_hub"], NET),
}
# Methods that write only when given a path: without one they return text or bytes.
_WRITERS = words(
    "to_csv to_excel to_parquet to_feather to_hdf to_pickle to_stata to_orc to_xml to_json to_html "
    "to_latex to_markdown to_string to_sql savefig write_html write_image write_json write_csv "
    "write_parquet write_ndjson write_ipc write_avro write_excel tofile to_file to_netcdf to_zarr "
    "save_model save_weights"
)
_PATH_KEYWORDS = (
    "path_or_buf", "path_or_buffer", "path", "excel_writer", "buf", "fname", "file", "filename", "filepath_or_buffer",
    "name", "fid", "io", "source", "workbook", "where",
)  # fmt: skip
_MEMORY = frozenset({"io.StringIO()", "io.BytesIO()", "_io.StringIO()", "_io.BytesIO()", "sys.stdout", "sys.stderr"})

_CLASS_PATHS = {"_io.StringIO": "io.StringIO", "_io.BytesIO": "io.BytesIO"}


URL = "url"  # the path of a text of which only the beginning is known, and that is one of a URL


class Argument:
    """What is known of one argument: a constant, the path of what it is, both or neither."""

    __slots__ = ("constant", "path")

    def __init__(self, constant: Any = live.MISSING, path: str | None = None) -> None:
        self.constant = constant
        self.path = path


Arguments = dict[int | str, Argument]


def instance_path(cls: type) -> str:
    """The path of an instance of a class: `pathlib.Path()`."""
    for base in mro_names(cls):
        if base.startswith("pathlib.") and base.rpartition(".")[2] in {"Path", "PosixPath", "WindowsPath"}:
            return "pathlib.Path()"
    own = f"{live.class_module(cls)}.{live.class_name(cls)}"
    return _CLASS_PATHS.get(own, own) + "()"


def mro_names(cls: type) -> list[str]:
    return [f"{live.class_module(c)}.{live.class_name(c)}" for c in live.mro(cls)]


class Identities:
    """Documented paths by the identity of the function, for what the user bound to a name before."""

    def __init__(self) -> None:
        self._by_id: dict[int, str] | None = None

    def path(self, obj: Any) -> str | None:
        if self._by_id is None:
            self._by_id = {}
            for path in [*ALWAYS, *OPENERS, *HIDDEN]:
                module, _, name = path.rpartition(".")
                loaded = sys.modules.get(module)
                if loaded is not None and live.is_module(loaded):
                    found = live.static(loaded, name)
                    if found is not live.MISSING:
                        self._by_id.setdefault(id(found), path)
        return self._by_id.get(id(obj))


HIDDEN: dict[str, str] = {
    "builtins.eval": "runs text as code",
    "builtins.exec": "runs text as code",
    "builtins.compile": "compiles text",
    "pickle.load": "unpickles, which can run any code",
    "pickle.loads": "unpickles, which can run any code",
    "pickle.Unpickler": "unpickles, which can run any code",
    "dill.load": "unpickles, which can run any code",
    "dill.loads": "unpickles, which can run any code",
    "cloudpickle.load": "unpickles, which can run any code",
    "cloudpickle.loads": "unpickles, which can run any code",
    "joblib.load": "unpickles, which can run any code",
    "pandas.read_pickle": "unpickles, which can run any code",
    "torch.load": "unpickles, which can run any code",
    "marshal.loads": "loads compiled code",
    "marshal.load": "loads compiled code",
    "types.FunctionType": "builds a function from compiled code",
    "types.CodeType": "builds compiled code",
    "yaml.unsafe_load": "can run any code",
    "yaml.full_load": "can run any code",
    "shelve.open": "unpickles, which can run any code",
    "runpy.run_path": "runs a file as code",
}


def capability(path: str, arguments: Arguments) -> Capability | None:
    """What a call of the function at this path does outside the namespace, if anything."""
    first = arguments.get(0)
    if first is not None and first.path in _MEMORY:
        return None
    top, _, _ = path.partition(".")
    last = path.rpartition(".")[2]
    if path in OPENERS:
        position, default = OPENERS[path]
        if path == "h5py.File" or first is None or not _url(first):
            return _mode(arguments.get(position) or arguments.get("mode"), default)
        return NET
    if path in ALWAYS:
        found = ALWAYS[path]
        if path in {"json.dump", "pickle.dump", "yaml.dump_all"} and _second_in_memory(arguments):
            return None
        if path == "sqlalchemy.create_engine":
            url = first.constant if first else None
            if isinstance(url, str) and url.startswith("sqlite"):
                return None if url in {"sqlite://", "sqlite:///:memory:"} else WRITE
        return NET if found is READ and first is not None and _url(first) else found
    if path == "sqlite3.connect" or path == "duckdb.connect":
        where = first or arguments.get("database")
        if where is None or where.constant == ":memory:":
            return None
        return WRITE
    if top == "builtins" or path in _NO_NET:
        return None
    if top in {"pandas", "polars", "modin", "dask", "geopandas"} and re.match(r"(read|scan)_", last):
        return _reading(last, arguments)
    if top == "logging" and last == "basicConfig":
        return WRITE if "filename" in arguments else None
    if top == "sklearn" and re.match(r"fetch_", last):
        return NET
    if path.startswith("pathlib.Path()."):
        return _PATH_METHODS.get(last)
    if top in {"multiprocessing", "subprocess"} and last in {"Pool", "Process", "Popen", "run"}:
        return PROC
    if _within(path, _NET_MODULES):
        instance = "()" in path
        if instance and not (last in _NET_METHODS and re.search(r"(?i)session|client|socket|smtp|ftp|http", path)):
            return None
        return NET
    if _within(path, _PROC_MODULES):
        return None if "()" in path else PROC
    if path == "numpy.ndarray().dump":
        return WRITE
    return None


def by_method_name(name: str, arguments: Arguments) -> Capability | None:
    """What a method of an object that is not known does, as far as its name tells."""
    if name in _WRITERS:
        return WRITE if writes_to(name, arguments) else None
    return _BY_NAME.get(name)


def writes_to(name: str, arguments: Arguments) -> bool:
    """Whether a `to_...` method is given somewhere to write."""
    if name == "to_sql":
        return not any(a.path in {"sqlite3.connect(':memory:')"} for a in arguments.values())
    target = arguments.get(0) or next((arguments[k] for k in _PATH_KEYWORDS if k in arguments), None)
    if target is None or target.constant is None:
        return False
    return target.path not in _MEMORY


_BOTH_PATHS = frozenset(
    ["os.rename", "os.renames", "os.replace", "os.link", "os.symlink", "shutil.move"]
)  # fmt: skip
_SECOND_PATH = frozenset(f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copytree", "copymode", "copystat"))
# Their first argument is an object, a descriptor or the name of something else.
_NO_PATH = words(
    "json.dump pickle.dump yaml.dump_all marshal.dump dill.dump cloudpickle.dump joblib.dump torch.save os.write "
    "os.ftruncate os.fdopen shutil.copyfileobj shutil.make_archive shutil.unpack_archive json.load pickle.load "
    "tomllib.load dill.load cloudpickle.load marshal.load scipy.io.wavfile.write to_sql"
)


def targets(path: str, capability: Capability, arguments: Arguments) -> list[str]:
    """The literal paths or addresses that a call reaches for; empty where one of them is not written out."""
    if capability not in {READ, WRITE, NET} or path in _NO_PATH or path.startswith(("pathlib.", "tempfile.")):
        return []
    if path in _BOTH_PATHS:
        found = [arguments.get(0) or arguments.get("src"), arguments.get(1) or arguments.get("dst")]
    elif path in _SECOND_PATH:
        found = [arguments.get(1) or arguments.get("dst")]
    elif path in OPENERS or path in ALWAYS or path.rpartition(".")[2] in _WRITERS or re.search(r"\.(read|scan)_", path):
        found = [arguments.get(0) or next((arguments[k] for k in _PATH_KEYWORDS if k in arguments), None)]
    elif capability is NET:
        found = [arguments.get(0) or arguments.get("url")]
    else:
        return []
    texts = [a.constant for a in found if a is not None and isinstance(a.constant, str) and a.constant]
    if len(texts) < len(found) or any(len(text) > 200 for text in texts):
        return []
    return texts if capability is not NET or all(map(is_url, texts)) else []


def _reading(name: str, arguments: Arguments) -> Capability | None:
    source = arguments.get(0) or next((arguments[k] for k in _PATH_KEYWORDS if k in arguments), None)
    if name == "read_clipboard":
        return READ
    if source is not None:
        if source.path in _MEMORY:
            return None
        if _url(source):
            return NET
    if any(a.path == "sqlite3.connect(':memory:')" for a in arguments.values()):
        return None
    return READ


def _mode(argument: Argument | None, default: str) -> Capability:
    mode = default if argument is None else argument.constant
    if isinstance(mode, str) and not set(mode.partition(":")[0]) & set("wax+"):
        return READ
    return WRITE


def is_url(text: str) -> bool:
    return re.match(r"(?i)(https?|ftps?|s3|gs|hf|sftp|ssh)://", text) is not None


def _url(argument: Argument) -> bool:
    return argument.path == URL or (isinstance(argument.constant, str) and is_url(argument.constant))


def _second_in_memory(arguments: Arguments) -> bool:
    target = arguments.get(1) or arguments.get("fp") or arguments.get("file") or arguments.get("stream")
    return target is not None and target.path in _MEMORY


def _within(path: str, modules: tuple[str, ...]) -> bool:
    return any(path.startswith(module + ".") for module in modules)


WORDS = {
    READ: "reads files",
    WRITE: "writes, moves or deletes files",
    NET: "uses the network",
    PROC: "starts or signals processes",
    INSTALL: "installs or removes packages",
    EXIT: "ends the kernel",
    INPUT: "waits for input",
    Capability.KERNEL: "changes the kernel",
}
