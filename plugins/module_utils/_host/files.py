# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The one place that writes: whole files, by fsync and rename, and the locks and stages around them.

Private to the collection.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import AbstractSet, Callable, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

LOCK_TIMEOUT = 300.0
TEMPORARY = ".unitwright-"
_STAGE = "unitwright-stage-"
_MOST_HOPS = 40

# Gives a new file the SELinux label its final path shall have: (temporary path, final path).
Labeller = Callable[[str, str], None]


class FileRefused(Exception):
    """A path that must not be written or read; the message says why and the mend."""


class LockBusy(Exception):
    """Another run holds the lock for longer than LOCK_TIMEOUT."""


class Seen(NamedTuple):
    """What lies at a path.

    mode, uid, gid: as stat(2) has them. changed_at: when it last changed in any way, in seconds since the epoch.
    content: None for all but regular files. target: of a symbolic link, None for all else. modified_at: when its
    content last changed.
    """

    mode: int
    uid: int
    gid: int
    changed_at: float
    content: Optional[bytes] = None
    target: Optional[str] = None
    modified_at: float = 0.0


def look(path: str) -> Optional[Seen]:
    """What lies at path, without following a symbolic link; None if nothing does."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return Seen(status.st_mode, status.st_uid, status.st_gid, status.st_ctime, target=os.readlink(path))
        content = read(path) if stat.S_ISREG(status.st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Seen(status.st_mode, status.st_uid, status.st_gid, status.st_ctime, content, None, status.st_mtime)


def read(path: str) -> bytes:
    """The content of a regular file. All else is refused: a pipe would be waited for, and a device may have no end."""
    # It is read whole, and a buffer would only slow that down.
    with open(path, "rb", buffering=0, opener=_at_once) as stream:
        content = stream.readall() if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else None
    if content is None:
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return content


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def resolve(path: str, root: str) -> str:
    """A path below root with its symbolic links followed as a process inside root would: none leads out of it."""
    if not root:
        return os.path.realpath(path)
    done: List[str] = []
    pending = os.path.relpath(path, root).split(os.sep)[::-1]
    hops = 0
    while pending:
        part = pending.pop()
        if part in ("", ".", ".."):
            done = done[:-1] if part == ".." else done
            continue
        try:
            target = os.readlink(os.path.join(root, *done, part))
        except OSError:
            done.append(part)
            continue
        hops += 1
        if hops > _MOST_HOPS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        done = [] if target.startswith(os.sep) else done
        pending += target.split(os.sep)[::-1]
    return os.path.join(root, *done)


def is_program(path: str, root: str) -> bool:
    """Can it be run, as a process inside root finds it?"""
    found = resolve(path, root)
    return os.path.isfile(found) and os.access(found, os.X_OK)


def refuse_detours(path: str, below: str) -> None:
    """Raise FileRefused if a folder between `below` and the file, or the file itself, is not what it seems.

    A symbolic link would take the write elsewhere, out of an image even; a hard link would keep the name of a file
    that someone else can still write to.
    """
    refuse_linked(os.path.dirname(path), below)
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused(f"{path} is a symbolic link, a folder or a device, not a file: remove it first")
    if status.st_nlink > 1:
        raise FileRefused(
            f"{path} has {status.st_nlink} hard links: a change would go by the other names; remove it first"
        )


def refuse_linked(folder: str, below: str) -> None:
    """Raise FileRefused if a folder, or one between `below` and it, is a symbolic link or no folder."""
    each = below
    for part in ["", *os.path.relpath(folder, below).split(os.sep)]:
        each = os.path.normpath(os.path.join(each, part))
        try:
            mode = os.lstat(each).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(mode):
            raise FileRefused(f"{each} is a symbolic link or not a folder, so nothing is written below it: remove it")


class Writer:
    """Whole files, in place at once or not at all, durable once `settle` has returned."""

    def __init__(self, label: Optional[Labeller] = None) -> None:
        self._label = label
        self._unsettled: dict[str, bool] = {}
        self._prepared: List[Tuple[str, str]] = []

    def write(self, path: str, content: bytes, mode: int, owner: Optional[Tuple[int, int]] = None) -> None:
        """Write path with its mode (and uid, gid) from the first byte: temporary file, fsync, rename."""
        self.prepare(path, content, mode, owner)
        self._rename(*self._prepared.pop())

    def prepare(self, path: str, content: bytes, mode: int, owner: Optional[Tuple[int, int]] = None) -> None:
        """All of a write that may fail for want of space or permission; `put_in_place` does what is left of it."""
        folder = os.path.dirname(path)
        self.make_folder(folder)
        # systemd reads only *.conf in NAME.d and known suffixes beside it, so a dotted temporary name is never loaded.
        handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
        try:
            with os.fdopen(handle, "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                if owner is not None:
                    os.fchown(stream.fileno(), *owner)
                stream.write(content)
                stream.flush()
                if self._label is not None:
                    self._label(temporary, path)
                os.fsync(stream.fileno())
        except BaseException as error:
            _unlink_if_there(temporary)
            if isinstance(error, OSError) and error.filename is None:
                error.filename = path
            raise
        self._prepared.append((temporary, path))

    def put_in_place(self) -> None:
        """Give every prepared file its name."""
        while self._prepared:
            self._rename(*self._prepared.pop(0))

    def discard(self) -> None:
        """Give up what is prepared."""
        while self._prepared:
            _unlink_if_there(self._prepared.pop()[0])

    def _rename(self, temporary: str, path: str) -> None:
        try:
            os.rename(temporary, path)
        except BaseException:
            _unlink_if_there(temporary)
            raise
        self._unsettled[os.path.dirname(path)] = True

    def make_folder(self, folder: str, mode: int = 0o755) -> None:
        """Make a folder and what is missing above it."""
        missing = []
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for each in reversed(missing):
            # With a chmod after it, a run that is cut off in between would leave whatever the umask says.
            mask = os.umask(0)
            try:
                os.mkdir(each, mode)
            finally:
                os.umask(mask)
            if self._label is not None:
                self._label(each, each)
            self._unsettled[os.path.dirname(each)] = True

    def refuse_read_only(self, folder: str) -> None:
        """Raise OSError if nothing can be made or removed in a folder, as far as that can be told beforehand."""
        if os.path.isdir(folder) and not os.access(folder, os.W_OK | os.X_OK):
            code = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(code, os.strerror(code), folder)

    def remove(self, path: str) -> None:
        """Take a file or link away, if it is there."""
        if _unlink_if_there(path):
            self._unsettled[os.path.dirname(path)] = True

    def remove_folder_if_empty(self, folder: str) -> None:
        if not os.path.isdir(folder):  # a read-only file system would refuse even that
            return
        try:
            os.rmdir(folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
                raise
        else:
            self._unsettled.pop(folder, None)
            self._unsettled[os.path.dirname(folder)] = True

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link in place, over whatever link or file was there."""
        folder = os.path.dirname(path)
        self.make_folder(folder)
        temporary = os.path.join(folder, f"{TEMPORARY}{os.getpid()}")
        os.symlink(target, temporary)
        self._rename(temporary, path)

    def settle(self) -> None:
        """Make names durable: fsync each folder that changed, once."""
        for folder in list(self._unsettled):
            if os.path.isdir(folder):
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
        self._unsettled.clear()


def append(path: str, text: str) -> None:
    """A line more in a file of ours that one follows as it grows; it need not outlive a loss of power.

    Only for its owner, as it may have what a program says where nobody else can read it.
    """
    with open(
        os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "ab"
    ) as stream:
        stream.write(text.encode("utf-8", "replace"))


class KernelFile:
    """A file by which the kernel tells and takes a setting, held open.

    It stays the one that it was opened for: where that is gone, reading and writing fail, whoever has its path by then.
    """

    def __init__(self, path: str, may_write: bool = False) -> None:
        flags = (os.O_RDWR if may_write else os.O_RDONLY) | os.O_CLOEXEC | os.O_NOFOLLOW
        self._stream = open(os.open(path, flags), "r+b" if may_write else "rb", buffering=0)  # noqa: SIM115

    def __enter__(self) -> KernelFile:
        return self

    def __exit__(self, *_ended: object) -> None:
        self._stream.close()

    def read(self) -> str:
        self._stream.seek(0)
        return self._stream.readall().decode()

    def write(self, text: str) -> None:
        self._stream.seek(0)
        self._stream.write(text.encode())


def _unlink_if_there(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:  # a read-only file system refuses to remove even what is not there
        if os.path.lexists(path):
            raise
        return False
    return True


@contextmanager
def locked(folder: str, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Hold the lock of all that is written to a unit folder.

    The lock is flock(2) on the folder itself: no file to leave behind, and gone with the process that held it. A
    folder that is not there yet has no one to wait for.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LockBusy(f"another run has held the lock on {folder} for {timeout:.0f} s") from None
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)


@contextmanager
def staged(units: str, new: Mapping[str, bytes], gone: Sequence[str]) -> Iterator[str]:
    """A folder that looks as `units` will look: links to what stays, files for what is new, nothing for what goes.

    new and gone name paths below `units`. The folder is for reading by systemd-analyze and is removed at the end.
    """
    stage, lock = _new_stage()
    try:
        touched = {os.path.relpath(path, units) for path in [*new, *gone]}
        opened = {os.path.dirname(path) for path in touched} - {""}
        _mirror(units, stage, "", touched | opened)
        for folder in opened:
            os.makedirs(os.path.join(stage, folder), exist_ok=True)
            _mirror(units, stage, folder, touched)
        for path, content in new.items():
            with open(os.path.join(stage, os.path.relpath(path, units)), "wb") as stream:
                stream.write(content)
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        os.close(lock)


def _new_stage() -> Tuple[str, int]:
    """A new folder and a lock on it, which says that the process it is for still lives."""
    while True:
        stage = tempfile.mkdtemp(prefix=_STAGE)
        lock = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(stage):
            return stage, lock
        os.close(lock)  # `sweep` of another run came between the two


def sweep(folders: Iterable[str]) -> None:
    """Remove what runs that were cut off have left: temporary files below these folders, and stages.

    Only for who holds the lock. What cannot be removed does no harm and stays.
    """
    for folder in folders:
        for path in _leftovers(folder):
            with suppress(OSError):
                os.unlink(path)
    scratch = tempfile.gettempdir()
    for entry in _entries(scratch):
        if entry.name.startswith(_STAGE):
            _remove_dead_stage(entry.path)


def _leftovers(folder: str) -> Iterator[str]:
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _leftovers(entry.path)
        elif entry.name.startswith(TEMPORARY):
            yield entry.path


def _entries(folder: str) -> List[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _remove_dead_stage(stage: str) -> None:
    """Remove it if it is ours: whoever may write to the scratch folder may have put something of that name there."""
    try:
        lock = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(stage, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)


def _mirror(units: str, stage: str, folder: str, without: AbstractSet[str]) -> None:
    try:
        names = os.listdir(os.path.join(units, folder))
    except FileNotFoundError:
        return
    for name in names:
        below = os.path.join(folder, name)
        if below in without or name.startswith(TEMPORARY):
            continue
        entry = os.path.join(units, below)
        # An alias or a mask must stay a link for systemd to see it, and an alias must lead to the staged unit.
        target = (
            os.path.normpath(os.path.join(os.path.dirname(entry), os.readlink(entry)))
            if os.path.islink(entry)
            else entry
        )
        if target != entry and target.startswith(units + os.sep):
            target = os.path.join(stage, os.path.relpath(target, units))
        os.symlink(target, os.path.join(stage, below))
