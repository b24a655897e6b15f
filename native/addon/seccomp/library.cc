#include "addon/seccomp/library.h"

#include <dlfcn.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>

namespace tsrunc::addon {

std::string seccomp_version_text() {
  const scmp_version* version = seccomp_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->micro);
}

std::string seccomp_library_path() {
  Dl_info info{};
  const bool found = ::dladdr(reinterpret_cast<const void*>(seccomp_version), &info) != 0;
  return found && info.dli_fname != nullptr ? info.dli_fname : "";
}

uint32_t seccomp_architecture(const std::string& name) {
  constexpr char kPrefix[] = "SCMP_ARCH_";
  if (name.rfind(kPrefix, 0) != 0) {
    return 0;
  }
  std::string lower = name.substr(sizeof kPrefix - 1);
  for (char& letter : lower) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return seccomp_arch_resolve_name(lower.c_str());
}

bool seccomp_flag_supported(unsigned flag) {
  // Without a program a known flag gives EFAULT, an unknown one EINVAL (seccomp(2)). WAIT_KILLABLE_RECV is
  // refused without a listener.
  const unsigned with =
      flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U;
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag | with, nullptr) != 0 && errno == EFAULT;
}

}  // namespace tsrunc::addon
