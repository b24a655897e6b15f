// dumpContainer: the container's processes into files.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/host/criu.h"
#include "engine/host_context.h"
#include "sys/directory.h"
#include "sys/small_file.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// The images hold the memory of the container: they are nobody else's matter.
constexpr mode_t kMode = 0700;

// Opens a directory, and makes it where it is missing.
[[nodiscard]] Failure open_directory(const char* path, bool& made, UniqueFd& out) noexcept {
  made = ::mkdir(path, kMode) == 0;
  if (!made && errno != EEXIST) {
    return sys::fail("mkdir", path);
  }
  out.reset(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return out.valid() ? kOk : sys::fail("open", path);
}

// Calls `visit` with each name in the directory.
template <typename Visit>
[[nodiscard]] Failure each_name(int directory, const char* path, Visit visit) noexcept {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (stream == nullptr) {
    return sys::fail("open", path);
  }
  while (const dirent* entry = sys::next_entry(stream)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      visit(entry->d_name);
    }
  }
  const Failure failure = errno == 0 ? kOk : sys::fail("getdents64", path);
  (void)::closedir(stream);
  return failure;
}

class Directories {
 public:
  [[nodiscard]] Failure open(const wire::DumpContainer& op) noexcept {
    TSRUNC_TRY(open_directory(op.image_path.data, made_images_, images_));
    const char* log = op.log_file.data;  // of an earlier try
    TSRUNC_TRY(each_name(images_.get(), op.image_path.data, [this, log](const char* name) {
      was_empty_ = was_empty_ && std::strcmp(name, log) == 0;
    }));
    return open_directory(op.work_path.data, made_work_, work_);
  }

  // What a dump that failed has left, but for the log.
  void clear(const wire::DumpContainer& op) noexcept {
    if (!images_.valid() || !was_empty_) {
      return;
    }
    const int directory = images_.get();
    const char* log = op.log_file.data;
    (void)each_name(directory, op.image_path.data, [directory, log](const char* name) {
      if (std::strcmp(name, log) != 0) {
        (void)::unlinkat(directory, name, 0);
      }
    });
    // Not empty where the log is in it.
    if (made_images_) {
      (void)::rmdir(op.image_path.data);
    }
    if (made_work_) {
      (void)::rmdir(op.work_path.data);
    }
  }

  [[nodiscard]] int images() const noexcept { return images_.get(); }
  [[nodiscard]] int work() const noexcept { return work_.get(); }

 private:
  UniqueFd images_;
  UniqueFd work_;
  bool made_images_ = false;
  bool made_work_ = false;
  bool was_empty_ = true;
};

[[nodiscard]] Failure write_files(const wire::DumpContainer& op, int images) noexcept {
  for (uint32_t i = 0; i < op.file_names.count && i < op.file_texts.count; ++i) {
    const char* name = op.file_names.items[i];
    const char* text = op.file_texts.items[i];
    const UniqueFd fd(::openat(images, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) {
      return sys::fail("open", name);
    }
    TSRUNC_TRY(sys::write_all(fd.get(), text, std::strlen(text), name));
  }
  return kOk;
}

[[nodiscard]] Failure dump(HostContext& context, const wire::DumpContainer& op,
                           const Directories& at) noexcept {
  // First: once CRIU has done its work the container may be gone.
  TSRUNC_TRY(write_files(op, at.images()));
  // An earlier log would be taken for this one's.
  if (::unlinkat(at.work(), op.log_file.data, 0) != 0 && errno != ENOENT) {
    return sys::fail("unlink", op.log_file.data);
  }
  Criu criu;
  TSRUNC_TRY(criu.start(op.criu.data, op.environment, nullptr, nullptr, 0));
  TSRUNC_TRY(criu.send(op.request, op.options, {at.images(), at.work(), op.log_file.data, op.lazy}));
  for (;;) {
    CriuResponse response;
    TSRUNC_TRY(criu.receive(response));
    if (response.type == static_cast<uint32_t>(CriuRequest::kNotify)) {
      context.log.debug(response.script);
      TSRUNC_TRY(criu.answer(true));
    } else if (response.success) {
      return kOk;
    } else {
      return criu_failure(response, at.work(), op.work_path.data, op.log_file.data, context.detail,
                          sizeof context.detail);
    }
  }
}

}  // namespace

Failure run(HostContext& context, const wire::DumpContainer& op) {
  Directories directories;
  Failure failure = directories.open(op);
  if (!failure) {
    failure = dump(context, op, directories);
  }
  if (failure) {
    directories.clear(op);
  }
  return failure;
}

}  // namespace tsrunc::engine
