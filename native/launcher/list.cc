#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/trace.h"
#include "launcher/container.h"
#include "launcher/container_names.h"
#include "launcher/describe.h"
#include "launcher/json_text.h"
#include "launcher/state_text.h"
#include "launcher/user_name.h"
#include "launcher/verbs.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Array;
using sys::Failure;

constexpr size_t kColumns = 6;

// The texts of all cells, one after the other, each with its NUL: rows of kColumns.
class Table {
 public:
  void cell(const char* text, size_t size) {
    text_.append(text, size);
    text_.push(0);
  }
  void cell(const char* text) { cell(text, std::strlen(text)); }

  // Columns as Go's text/tabwriter makes them for runc: at least 12 wide, 3 blanks between; the last as it
  // is.
  void print(Array<char>& out) const {
    size_t widths[kColumns] = {};
    walk([&](size_t column, const char* text) {
      constexpr size_t kLeast = 12;
      constexpr size_t kPadding = 3;
      const size_t width = characters(text) + kPadding;
      widths[column] = width > widths[column] ? width : widths[column];
      widths[column] = widths[column] < kLeast ? kLeast : widths[column];
    });
    walk([&](size_t column, const char* text) {
      add_text(out, text);
      if (column + 1 == kColumns) {
        out.push('\n');
        return;
      }
      for (size_t i = characters(text); i < widths[column]; ++i) {
        out.push(' ');
      }
    });
  }

 private:
  [[nodiscard]] static size_t characters(const char* text) noexcept {
    size_t count = 0;
    for (; *text != 0; ++text) {
      count += (*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
  }
  template <typename F>
  void walk(F visit) const {
    size_t column = 0;
    for (size_t at = 0; at < text_.size(); at += std::strlen(text_.data() + at) + 1) {
      visit(column, text_.data() + at);
      column = (column + 1) % kColumns;
    }
  }

  Array<char> text_;
};

class Listing {
 public:
  Listing(const Arguments& arguments, Logger& log) : arguments_(arguments), log_(log) {
    for (const char* title : {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}) {
      table_.cell(title);
    }
  }

  void add(const char* id) {
    if (arguments_.quiet) {
      add_text(out_, id);
      out_.push('\n');
      return;
    }
    Container container;
    if (const Failure failure = container.open(arguments_.root, id, log_, Damage::kTold); failure) {
      if (failure.code != ENOENT) {
        log_.warn(Sentence(id, failure).text);
      }
      return;
    }
    struct stat about {};
    (void)::fstat(container.state.fd(), &about);
    Array<char> owner;
    add_user_name(owner, about.st_uid);
    owner.push(0);
    arguments_.json ? add_json(container, id, owner.data()) : add_row(container, id, owner.data());
  }

  [[nodiscard]] Array<char>& finish() {
    if (!arguments_.quiet && arguments_.json) {
      add_text(out_, out_.empty() ? "null\n" : "]\n");
    } else if (!arguments_.quiet) {
      table_.print(out_);
    }
    return out_;
  }

 private:
  void add_row(const Container& container, const char* id, const char* owner) {
    char number[24];
    const bool stopped = container.status == engine::Status::kStopped;
    sys::Text(number).add(stopped ? 0 : static_cast<uint64_t>(container.saved.init.pid));
    table_.cell(id);
    table_.cell(number);
    table_.cell(engine::status_name(container.status));
    table_.cell(container.plan.header.bundle.data);
    table_.cell(container.saved.created);
    table_.cell(owner);
  }

  void add_json(const Container& container, const char* id, const char* owner) {
    Array<char> room;
    Array<char> state;
    add_state(state, header_of(container, id, room), container);
    state.push(0);
    Array<char> compact;
    add_compact_json(compact, state.data());
    // The state ends in an owner that is empty: runc's `state` prints it so, its `list` fills it in.
    constexpr size_t kTail = sizeof "\"\"}" - 1;
    out_.push(out_.empty() ? '[' : ',');
    out_.append(compact.data(), compact.size() - kTail);
    add_json_string(out_, owner);
    out_.push('}');
  }

  const Arguments& arguments_;
  Logger& log_;
  Table table_;
  Array<char> out_;
};

}  // namespace

int run_list(const Arguments& arguments, Logger& log) {
  Array<ContainerName> names;
  if (const Failure failure = read_container_names(arguments.root, names); failure) {
    log.error(Sentence("", failure).text);
    return 1;
  }
  const engine::Span span("state", "look at the containers");
  Listing listing(arguments, log);
  for (const ContainerName& name : names) {
    listing.add(name.text);
  }
  Array<char>& out = listing.finish();
  if (const Failure failure = sys::write_all(STDOUT_FILENO, out.data(), out.size(), "stdout"); failure) {
    log.error(Sentence("print the list", failure).text);
    return 1;
  }
  return 0;
}

}  // namespace tsrunc::launcher
