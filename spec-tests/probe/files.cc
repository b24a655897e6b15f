// Commands on paths: what is there and what can be done to it.

#include <cstring>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "commands.h"

namespace probe {
namespace {

const char* type_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFBLK:
      return "block";
    case S_IFCHR:
      return "char";
    case S_IFDIR:
      return "directory";
    case S_IFIFO:
      return "fifo";
    case S_IFLNK:
      return "symlink";
    case S_IFREG:
      return "file";
    case S_IFSOCK:
      return "socket";
  }
  return "unknown";
}

void put_stat(const char* path, bool follow, Json& out) {
  struct stat st;
  const int result = follow ? stat(path, &st) : lstat(path, &st);
  out.text("path", path);
  put_errno(out, result, errno);
  if (result < 0) {
    return;
  }
  out.text("type", type_name(st.st_mode)).number("mode", st.st_mode & 07777);
  out.number("uid", st.st_uid).number("gid", st.st_gid).number("size", st.st_size);
  out.number("major", major(st.st_rdev)).number("minor", minor(st.st_rdev));
  out.number("device", static_cast<int64_t>(st.st_dev)).number("inode", static_cast<int64_t>(st.st_ino));
  out.number("atime", st.st_atime);
  if (S_ISLNK(st.st_mode)) {
    out.text("target", read_link(path));
  }
}

void lstat_path(const Words& words, Json& out) {
  put_stat(words[0].c_str(), false, out);
}
void stat_path(const Words& words, Json& out) {
  put_stat(words[0].c_str(), true, out);
}

void list(const Words& words, Json& out) {
  DIR* dir = opendir(words[0].c_str());
  put_errno(out, dir == nullptr ? -1 : 0, errno);
  out.key("entries").begin_array();
  for (dirent* entry = dir == nullptr ? nullptr : readdir(dir); entry != nullptr; entry = readdir(dir)) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      out.text(entry->d_name);
    }
  }
  if (dir != nullptr) {
    closedir(dir);
  }
  out.end_array();
}

void read_path(const Words& words, Json& out) {
  int error = 0;
  const std::string data = slurp(words[0].c_str(), &error);
  out.number("errno", error).text("error", errno_name(error)).text("data", data.substr(0, 65536));
}

// open PATH [r|w|rw|a|creat|dir|path|trunc], closed again at once.
void open_path(const Words& words, Json& out) {
  const std::string how = words.size() > 1 ? words[1] : "r";
  int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  if (how == "w") {
    flags |= O_WRONLY;
  } else if (how == "rw") {
    flags |= O_RDWR;
  } else if (how == "creat") {
    flags |= O_WRONLY | O_CREAT;
  } else if (how == "trunc") {
    flags |= O_WRONLY | O_TRUNC;
  } else if (how == "dir") {
    flags |= O_DIRECTORY;
  }
  const int fd = open(words[0].c_str(), flags, 0666);
  put_errno(out, fd, errno);
  if (fd >= 0) {
    close(fd);
  }
}

// lock PATH: flock(2), for as long as the probe runs.
void lock_path(const Words& words, Json& out) {
  const int fd = open(words[0].c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  const int result = fd < 0 ? fd : flock(fd, LOCK_EX | LOCK_NB);
  put_errno(out, result, errno);
}

// write PATH DATA: into an existing file.
void write_path(const Words& words, Json& out) {
  const int fd = open(words[0].c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  int64_t result = fd;
  int error = errno;
  if (fd >= 0) {
    result = write(fd, words[1].data(), words[1].size());
    error = errno;
    close(fd);
  }
  put_errno(out, result, error);
}

void make_directory(const Words& words, Json& out) {
  const int result = mkdir(words[0].c_str(), 0777);
  put_errno(out, result, errno);
}

void remove_path(const Words& words, Json& out) {
  int result = unlink(words[0].c_str());
  if (result < 0 && errno == EISDIR) {
    result = rmdir(words[0].c_str());
  }
  put_errno(out, result, errno);
}

// mknod PATH c|b|p MAJOR MINOR
void make_node(const Words& words, Json& out) {
  const mode_t type = words[1] == "b" ? S_IFBLK : words[1] == "p" ? S_IFIFO : S_IFCHR;
  const dev_t device = makedev(parse_number(words[2]), parse_number(words[3]));
  const int result = mknod(words[0].c_str(), type | 0600, device);
  put_errno(out, result, errno);
}

void change_mode(const Words& words, Json& out) {
  const int result = chmod(words[0].c_str(), static_cast<mode_t>(parse_number(words[1])));
  put_errno(out, result, errno);
}

void change_owner(const Words& words, Json& out) {
  const int result = chown(words[0].c_str(), static_cast<uid_t>(parse_number(words[1])),
                           static_cast<gid_t>(parse_number(words[2])));
  put_errno(out, result, errno);
}

// mount SOURCE TARGET TYPE FLAGS [DATA]
void mount_path(const Words& words, Json& out) {
  const char* data = words.size() > 4 ? words[4].c_str() : nullptr;
  const int result =
      mount(words[0].c_str(), words[1].c_str(), words[2].c_str(), parse_number(words[3]), data);
  put_errno(out, result, errno);
}

void unmount_path(const Words& words, Json& out) {
  const int result = umount2(words[0].c_str(), MNT_DETACH);
  put_errno(out, result, errno);
}

void change_directory(const Words& words, Json& out) {
  const int result = chdir(words[0].c_str());
  put_errno(out, result, errno);
}

void filesystem(const Words& words, Json& out) {
  struct statfs st = {};
  const int result = statfs(words[0].c_str(), &st);
  put_errno(out, result, errno);
  out.number("type", static_cast<int64_t>(st.f_type)).number("blocks", static_cast<int64_t>(st.f_blocks));
  out.number("blockSize", st.f_bsize).number("files", static_cast<int64_t>(st.f_files));
}

// xattr PATH NAME
void extended_attribute(const Words& words, Json& out) {
  char value[4096] = {};
  const ssize_t size = getxattr(words[0].c_str(), words[1].c_str(), value, sizeof value - 1);
  put_errno(out, size, errno);
  out.text("value", value);
}

}  // namespace

const Entry kFileCommands[] = {
    {"lstat", 1, lstat_path},         {"stat", 1, stat_path},         {"ls", 1, list},
    {"read", 1, read_path},           {"open", 1, open_path},         {"write", 2, write_path},
    {"mkdir", 1, make_directory},     {"rm", 1, remove_path},         {"mknod", 4, make_node},
    {"chmod", 2, change_mode},        {"chown", 3, change_owner},     {"mount", 4, mount_path},
    {"umount", 1, unmount_path},      {"chdir", 1, change_directory}, {"statfs", 1, filesystem},
    {"xattr", 2, extended_attribute}, {"lock", 1, lock_path},         {nullptr, 0, nullptr},
};

}  // namespace probe
