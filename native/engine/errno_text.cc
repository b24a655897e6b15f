#include "engine/errno_text.h"

#include <cerrno>
#include <cstddef>

namespace tsrunc::engine {
namespace {

struct Row {
  int code;
  const char* name;
  const char* text;
};

#define TSRUNC_ROW(name, text) \
  { name, #name, text }
constexpr Row kRows[] = {
    TSRUNC_ROW(EPERM, "operation not permitted"),
    TSRUNC_ROW(ENOENT, "no such file or directory"),
    TSRUNC_ROW(ESRCH, "no such process"),
    TSRUNC_ROW(EINTR, "interrupted system call"),
    TSRUNC_ROW(EIO, "input/output error"),
    TSRUNC_ROW(ENXIO, "no such device or address"),
    TSRUNC_ROW(E2BIG, "argument list too long"),
    TSRUNC_ROW(ENOEXEC, "exec format error"),
    TSRUNC_ROW(EBADF, "bad file descriptor"),
    TSRUNC_ROW(ECHILD, "no child processes"),
    TSRUNC_ROW(EAGAIN, "resource temporarily unavailable"),
    TSRUNC_ROW(ENOMEM, "cannot allocate memory"),
    TSRUNC_ROW(EACCES, "permission denied"),
    TSRUNC_ROW(EFAULT, "bad address"),
    TSRUNC_ROW(ENOTBLK, "block device required"),
    TSRUNC_ROW(EBUSY, "device or resource busy"),
    TSRUNC_ROW(EEXIST, "file exists"),
    TSRUNC_ROW(EXDEV, "invalid cross-device link"),
    TSRUNC_ROW(ENODEV, "no such device"),
    TSRUNC_ROW(ENOTDIR, "not a directory"),
    TSRUNC_ROW(EISDIR, "is a directory"),
    TSRUNC_ROW(EINVAL, "invalid argument"),
    TSRUNC_ROW(ENFILE, "too many open files in system"),
    TSRUNC_ROW(EMFILE, "too many open files"),
    TSRUNC_ROW(ENOTTY, "inappropriate ioctl for device"),
    TSRUNC_ROW(ETXTBSY, "text file busy"),
    TSRUNC_ROW(EFBIG, "file too large"),
    TSRUNC_ROW(ENOSPC, "no space left on device"),
    TSRUNC_ROW(ESPIPE, "illegal seek"),
    TSRUNC_ROW(EROFS, "read-only file system"),
    TSRUNC_ROW(EMLINK, "too many links"),
    TSRUNC_ROW(EPIPE, "broken pipe"),
    TSRUNC_ROW(EDOM, "numerical argument out of domain"),
    TSRUNC_ROW(ERANGE, "numerical result out of range"),
    TSRUNC_ROW(EDEADLK, "resource deadlock avoided"),
    TSRUNC_ROW(ENAMETOOLONG, "file name too long"),
    TSRUNC_ROW(ENOLCK, "no locks available"),
    TSRUNC_ROW(ENOSYS, "function not implemented"),
    TSRUNC_ROW(ENOTEMPTY, "directory not empty"),
    TSRUNC_ROW(ELOOP, "too many levels of symbolic links"),
    TSRUNC_ROW(ENOMSG, "no message of desired type"),
    TSRUNC_ROW(EIDRM, "identifier removed"),
    TSRUNC_ROW(ECHRNG, "channel number out of range"),
    TSRUNC_ROW(EL2NSYNC, "level 2 not synchronized"),
    TSRUNC_ROW(EL3HLT, "level 3 halted"),
    TSRUNC_ROW(EL3RST, "level 3 reset"),
    TSRUNC_ROW(ELNRNG, "link number out of range"),
    TSRUNC_ROW(EUNATCH, "protocol driver not attached"),
    TSRUNC_ROW(ENOCSI, "no CSI structure available"),
    TSRUNC_ROW(EL2HLT, "level 2 halted"),
    TSRUNC_ROW(EBADE, "invalid exchange"),
    TSRUNC_ROW(EBADR, "invalid request descriptor"),
    TSRUNC_ROW(EXFULL, "exchange full"),
    TSRUNC_ROW(ENOANO, "no anode"),
    TSRUNC_ROW(EBADRQC, "invalid request code"),
    TSRUNC_ROW(EBADSLT, "invalid slot"),
    TSRUNC_ROW(EBFONT, "bad font file format"),
    TSRUNC_ROW(ENOSTR, "device not a stream"),
    TSRUNC_ROW(ENODATA, "no data available"),
    TSRUNC_ROW(ETIME, "timer expired"),
    TSRUNC_ROW(ENOSR, "out of streams resources"),
    TSRUNC_ROW(ENONET, "machine is not on the network"),
    TSRUNC_ROW(ENOPKG, "package not installed"),
    TSRUNC_ROW(EREMOTE, "object is remote"),
    TSRUNC_ROW(ENOLINK, "link has been severed"),
    TSRUNC_ROW(EADV, "advertise error"),
    TSRUNC_ROW(ESRMNT, "srmount error"),
    TSRUNC_ROW(ECOMM, "communication error on send"),
    TSRUNC_ROW(EPROTO, "protocol error"),
    TSRUNC_ROW(EMULTIHOP, "multihop attempted"),
    TSRUNC_ROW(EDOTDOT, "RFS specific error"),
    TSRUNC_ROW(EBADMSG, "bad message"),
    TSRUNC_ROW(EOVERFLOW, "value too large for defined data type"),
    TSRUNC_ROW(ENOTUNIQ, "name not unique on network"),
    TSRUNC_ROW(EBADFD, "file descriptor in bad state"),
    TSRUNC_ROW(EREMCHG, "remote address changed"),
    TSRUNC_ROW(ELIBACC, "can not access a needed shared library"),
    TSRUNC_ROW(ELIBBAD, "accessing a corrupted shared library"),
    TSRUNC_ROW(ELIBSCN, ".lib section in a.out corrupted"),
    TSRUNC_ROW(ELIBMAX, "attempting to link in too many shared libraries"),
    TSRUNC_ROW(ELIBEXEC, "cannot exec a shared library directly"),
    TSRUNC_ROW(EILSEQ, "invalid or incomplete multibyte or wide character"),
    TSRUNC_ROW(ERESTART, "interrupted system call should be restarted"),
    TSRUNC_ROW(ESTRPIPE, "streams pipe error"),
    TSRUNC_ROW(EUSERS, "too many users"),
    TSRUNC_ROW(ENOTSOCK, "socket operation on non-socket"),
    TSRUNC_ROW(EDESTADDRREQ, "destination address required"),
    TSRUNC_ROW(EMSGSIZE, "message too long"),
    TSRUNC_ROW(EPROTOTYPE, "protocol wrong type for socket"),
    TSRUNC_ROW(ENOPROTOOPT, "protocol not available"),
    TSRUNC_ROW(EPROTONOSUPPORT, "protocol not supported"),
    TSRUNC_ROW(ESOCKTNOSUPPORT, "socket type not supported"),
    TSRUNC_ROW(EOPNOTSUPP, "operation not supported"),
    TSRUNC_ROW(EPFNOSUPPORT, "protocol family not supported"),
    TSRUNC_ROW(EAFNOSUPPORT, "address family not supported by protocol"),
    TSRUNC_ROW(EADDRINUSE, "address already in use"),
    TSRUNC_ROW(EADDRNOTAVAIL, "cannot assign requested address"),
    TSRUNC_ROW(ENETDOWN, "network is down"),
    TSRUNC_ROW(ENETUNREACH, "network is unreachable"),
    TSRUNC_ROW(ENETRESET, "network dropped connection on reset"),
    TSRUNC_ROW(ECONNABORTED, "software caused connection abort"),
    TSRUNC_ROW(ECONNRESET, "connection reset by peer"),
    TSRUNC_ROW(ENOBUFS, "no buffer space available"),
    TSRUNC_ROW(EISCONN, "transport endpoint is already connected"),
    TSRUNC_ROW(ENOTCONN, "transport endpoint is not connected"),
    TSRUNC_ROW(ESHUTDOWN, "cannot send after transport endpoint shutdown"),
    TSRUNC_ROW(ETOOMANYREFS, "too many references: cannot splice"),
    TSRUNC_ROW(ETIMEDOUT, "connection timed out"),
    TSRUNC_ROW(ECONNREFUSED, "connection refused"),
    TSRUNC_ROW(EHOSTDOWN, "host is down"),
    TSRUNC_ROW(EHOSTUNREACH, "no route to host"),
    TSRUNC_ROW(EALREADY, "operation already in progress"),
    TSRUNC_ROW(EINPROGRESS, "operation now in progress"),
    TSRUNC_ROW(ESTALE, "stale file handle"),
    TSRUNC_ROW(EUCLEAN, "structure needs cleaning"),
    TSRUNC_ROW(ENOTNAM, "not a XENIX named type file"),
    TSRUNC_ROW(ENAVAIL, "no XENIX semaphores available"),
    TSRUNC_ROW(EISNAM, "is a named type file"),
    TSRUNC_ROW(EREMOTEIO, "remote I/O error"),
    TSRUNC_ROW(EDQUOT, "disk quota exceeded"),
    TSRUNC_ROW(ENOMEDIUM, "no medium found"),
    TSRUNC_ROW(EMEDIUMTYPE, "wrong medium type"),
    TSRUNC_ROW(ECANCELED, "operation canceled"),
    TSRUNC_ROW(ENOKEY, "required key not available"),
    TSRUNC_ROW(EKEYEXPIRED, "key has expired"),
    TSRUNC_ROW(EKEYREVOKED, "key has been revoked"),
    TSRUNC_ROW(EKEYREJECTED, "key was rejected by service"),
    TSRUNC_ROW(EOWNERDEAD, "owner died"),
    TSRUNC_ROW(ENOTRECOVERABLE, "state not recoverable"),
    TSRUNC_ROW(ERFKILL, "operation not possible due to RF-kill"),
};
#undef TSRUNC_ROW

constexpr bool sorted() {
  for (size_t i = 1; i < sizeof kRows / sizeof kRows[0]; ++i) {
    if (kRows[i - 1].code >= kRows[i].code) {
      return false;
    }
  }
  return true;
}
static_assert(sorted());

const Row* find(int code) noexcept {
  for (const Row& row : kRows) {
    if (row.code == code) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace

const char* errno_name(int code) noexcept {
  const Row* row = find(code);
  return row == nullptr ? nullptr : row->name;
}

const char* errno_text(int code) noexcept {
  const Row* row = find(code);
  return row == nullptr ? "unknown error" : row->text;
}

}  // namespace tsrunc::engine
