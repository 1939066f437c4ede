# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How programs tell an error of the kernel: by glibc's words, its name or number, or the words of their runtime.

Private to the collection.
"""

from __future__ import annotations

import errno
from typing import Dict

# Beside glibc's words those of dash, Rust (std::io::ErrorKind), Java, and of servers that say it in their own.
_WORDS: Dict[int, str] = {
    errno.EADDRINUSE: r"\b(?:address|port \d+|connection)(?: is| was)? (?:already )?in use\b|AddrInUse",
    errno.EACCES: r"permission denied|PermissionDenied|AccessDeniedException",
    errno.EPERM: r"operation not permitted",
    errno.ENOENT: r"no such file\b|directory nonexistent|NoSuchFileException|kind: NotFound",
    errno.EROFS: r"read-only file ?system|ReadOnlyFileSystem",
    errno.ECONNREFUSED: r"connection refused|ConnectionRefused",
    errno.ENOSPC: r"no space left on device|StorageFull",
    errno.EMFILE: r"too many open files",
    errno.EADDRNOTAVAIL: r"cannot assign requested address|AddrNotAvailable",
    errno.EAFNOSUPPORT: r"address family not supported",
}


def tells(*codes: int) -> str:
    """The pattern of a line that tells one of these errors, in whatever case."""
    return "|".join(rf"{_WORDS[each]}|\b{errno.errorcode[each]}\b|\b(?:errno|code):? -?{each}\b" for each in codes)
