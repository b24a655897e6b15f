#include "launcher/kept_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "launcher/host_namespaces.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

constexpr char kBoot[] = "/proc/sys/kernel/random/boot_id";
constexpr char kMounts[] = "/proc/self/mountinfo";
// ldconfig(8) makes it anew where a library is replaced: libseccomp has made programs that plans have.
constexpr char kLibraries[] = "/etc/ld.so.cache";
// sd_booted(3), and whose it is.
constexpr char kBooted[] = "/run/systemd/system";

// Mounts at these, and beneath those with a slash: of kernel's file systems, and what may hide them. Those of
// containers, which come and go, are elsewhere.
constexpr std::string_view kPlaces[] = {"/",     "/proc", "/proc/",       "/sys",
                                        "/sys/", "/run",  "/run/systemd", "/dev"};

[[nodiscard]] std::string_view take_field(std::string_view& line) noexcept {
  const std::string_view field = line.substr(0, line.find(' '));
  line.remove_prefix(field.size() < line.size() ? field.size() + 1 : line.size());
  return field;
}

[[nodiscard]] bool is_place(std::string_view path) noexcept {
  for (const std::string_view place : kPlaces) {
    const bool beneath = place.size() > 1 && place.back() == '/';
    if (beneath ? path.substr(0, place.size()) == place : path == place) {
      return true;
    }
  }
  return false;
}

// A line of mountinfo, proc(5): ID, parent, device, root, mount point, options, optional fields, "-", type.
[[nodiscard]] bool tells_of_the_host(std::string_view line) noexcept {
  std::string_view rest = line;
  for (int field = 0; field < 4; ++field) {
    (void)take_field(rest);
  }
  if (is_place(take_field(rest))) {
    return true;
  }
  // cgroup and cgroup2 count wherever they are.
  return line.find(" - cgroup") != std::string_view::npos;
}

}  // namespace

bool add_kept_facts(sys::Array<char>& out) {
  // What another user may do to cgroups is looked at each time.
  if (::geteuid() != 0 || !is_on_host()) {
    return false;
  }
  struct stat libraries {};  // other C libraries have no such file
  struct stat systemd {};
  (void)::stat(kLibraries, &libraries);
  const bool booted = ::lstat(kBooted, &systemd) == 0 && S_ISDIR(systemd.st_mode);
  char line[160];
  sys::Text(line)
      .add(uint64_t{::geteuid()})
      .add(" ")
      .add(uint64_t{::getegid()})
      .add(" ")
      .add(booted ? uint64_t{systemd.st_uid} : UINT64_MAX)
      .add(" ")
      .add(uint64_t{libraries.st_ino})
      .add(" ")
      .add(static_cast<uint64_t>(libraries.st_mtim.tv_sec))
      .add(" ")
      .add(static_cast<uint64_t>(libraries.st_mtim.tv_nsec))
      .add("\n");
  out.append(line, std::strlen(line));
  sys::Array<char> mounts;
  if (sys::read_whole(AT_FDCWD, kBoot, out) || sys::read_whole(AT_FDCWD, kMounts, mounts)) {
    return false;
  }
  std::string_view rest(mounts.data(), mounts.size());
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
    rest.remove_prefix(line.size());
    if (tells_of_the_host(line)) {
      out.append(line.data(), line.size());
    }
  }
  return true;
}

}  // namespace tsrunc::launcher
