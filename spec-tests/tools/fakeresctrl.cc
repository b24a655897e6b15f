// fakeresctrl: a file system that behaves like resctrl (Documentation/filesystems/resctrl.rst) where the CPU
// has none, through /dev/fuse.
//
//   fakeresctrl DIRECTORY
//
// Mounts itself on DIRECTORY, prints "ready" and serves until it is unmounted or killed. As in the kernel:
// mkdir at the top and in mon_groups makes a whole group and is refused elsewhere (EPERM) and for the fourth
// class (ENOSPC); rmdir takes a group away with all that is in it; tasks moves processes between groups of a
// level; schemata takes whole lines or none, prints them padded, and info/last_cmd_status tells why one was
// refused.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr size_t kClasses = 3;  // besides the default one

struct Node {
  uint64_t id = 0;
  Node* parent = nullptr;
  std::string name;
  bool directory = false;
  bool is_class = false;
  bool is_monitor = false;
  std::string content;
  std::map<std::string, std::unique_ptr<Node>> children;
};

std::map<uint64_t, Node*> g_nodes;
uint64_t g_next = FUSE_ROOT_ID;
Node g_root;
int g_fuse;

Node* add(Node& parent, const std::string& name, bool directory) {
  auto node = std::make_unique<Node>();
  node->id = ++g_next;
  node->parent = &parent;
  node->name = name;
  node->directory = directory;
  Node* raw = node.get();
  g_nodes[raw->id] = raw;
  parent.children[name] = std::move(node);
  return raw;
}

void forget(Node& node) {
  for (auto& [name, child] : node.children) {
    forget(*child);
  }
  g_nodes.erase(node.id);
}

void fill_monitor(Node& group) {
  group.is_monitor = true;
  add(group, "tasks", false);
  Node& domain = *add(*add(group, "mon_data", true), "mon_L3_00", true);
  add(domain, "llc_occupancy", false)->content = "8192\n";
  add(domain, "mbm_total_bytes", false)->content = "2048\n";
  add(domain, "mbm_local_bytes", false)->content = "1024\n";
}

void fill_class(Node& group) {
  fill_monitor(group);
  group.is_class = true;
  add(group, "schemata", false)->content = "    L3:0=00ff;1=00ff\n    MB:0=100;1=100\n";
  add(group, "mon_groups", true);
}

// What the CPU has: Documentation/filesystems/resctrl.rst "Info directory".
void fill_info(Node& info) {
  add(info, "last_cmd_status", false)->content = "ok\n";
  Node& cache = *add(info, "L3", true);
  add(cache, "cbm_mask", false)->content = "ffff\n";
  add(cache, "min_cbm_bits", false)->content = "1\n";
  add(cache, "num_closids", false)->content = "16\n";
  Node& memory = *add(info, "MB", true);
  add(memory, "bandwidth_gran", false)->content = "10\n";
  add(memory, "delay_linear", false)->content = "1\n";
  add(memory, "min_bandwidth", false)->content = "10\n";
  add(memory, "num_closids", false)->content = "8\n";
}

std::string& status() {
  return g_root.children["info"]->children["last_cmd_status"]->content;
}

// "L3:0=f;1=3": hexadecimal for L3, decimal for MB, domains 0 and 1. Empty: it is refused, with a story.
bool parse_line(const std::string& line, std::map<std::string, std::map<int, unsigned long>>& values) {
  const size_t colon = line.find(':');
  const std::string resource = line.substr(0, colon);
  if (colon == std::string::npos || (resource != "L3" && resource != "MB")) {
    status() = "Unknown or unsupported resource name '" + resource + "'\n";
    return false;
  }
  std::istringstream domains(line.substr(colon + 1));
  for (std::string entry; std::getline(domains, entry, ';');) {
    int domain = -1;
    char text[32] = "";
    if (sscanf(entry.c_str(), "%d=%31s", &domain, text) != 2 || domain < 0 || domain > 1) {
      status() = "Missing '=' or non-numeric domain\n";
      return false;
    }
    values[resource][domain] = strtoul(text, nullptr, resource == "L3" ? 16 : 10);
  }
  return true;
}

std::string print(const std::map<std::string, std::map<int, unsigned long>>& values) {
  char text[128];
  const auto& cache = values.at("L3");
  const auto& memory = values.at("MB");
  snprintf(text, sizeof text, "    L3:0=%04lx;1=%04lx\n    MB:0=%3lu;1=%3lu\n", cache.at(0), cache.at(1),
           memory.at(0), memory.at(1));
  return text;
}

int write_schemata(Node& file, const std::string& text) {
  status() = "ok\n";
  if (text.empty() || text.back() != '\n') {
    return -EINVAL;
  }
  std::map<std::string, std::map<int, unsigned long>> values;
  std::istringstream old(file.content);
  for (std::string line; std::getline(old, line);) {
    parse_line(line.substr(line.find_first_not_of(' ')), values);
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!parse_line(line, values)) {
      return -EINVAL;
    }
  }
  file.content = print(values);
  return static_cast<int>(text.size());
}

int write_tasks(Node& file, const std::string& text) {
  const pid_t pid = atoi(text.c_str());
  if (pid <= 0 || access(("/proc/" + std::to_string(pid)).c_str(), F_OK) != 0) {
    return -ESRCH;
  }
  file.content += std::to_string(pid) + "\n";
  return static_cast<int>(text.size());
}

size_t classes() {
  size_t count = 0;
  for (const auto& [name, child] : g_root.children) {
    count += child->is_class ? 1 : 0;
  }
  return count;
}

fuse_attr attributes(const Node& node) {
  fuse_attr out = {};
  out.ino = node.id;
  out.mode = node.directory ? S_IFDIR | 0755 : S_IFREG | 0644;
  out.nlink = 1;
  out.blksize = 4096;
  return out;
}

fuse_entry_out entry(const Node& node) {
  fuse_entry_out out = {};
  out.nodeid = node.id;
  out.attr = attributes(node);
  return out;
}

void answer(uint64_t unique, int error, const void* data = nullptr, size_t size = 0) {
  fuse_out_header header = {};
  header.unique = unique;
  header.error = error;
  header.len = static_cast<uint32_t>(sizeof header + size);
  std::vector<char> bytes(header.len);
  memcpy(bytes.data(), &header, sizeof header);
  if (size > 0) {
    memcpy(bytes.data() + sizeof header, data, size);
  }
  if (write(g_fuse, bytes.data(), bytes.size()) < 0) {
    perror("fakeresctrl: write");
  }
}

template <typename T>
void answer_with(uint64_t unique, const T& value) {
  answer(unique, 0, &value, sizeof value);
}

void make(uint64_t unique, Node& parent, const std::string& name) {
  const bool monitor = parent.name == "mon_groups";
  if (&parent != &g_root && !monitor) {
    return answer(unique, -EPERM);
  }
  if (parent.children.count(name) != 0) {
    return answer(unique, -EEXIST);
  }
  if (!monitor && classes() >= kClasses) {
    return answer(unique, -ENOSPC);
  }
  Node* made = add(parent, name, true);
  monitor ? fill_monitor(*made) : fill_class(*made);
  answer_with(unique, entry(*made));
}

void remove(uint64_t unique, Node& parent, const std::string& name) {
  const auto found = parent.children.find(name);
  if (found == parent.children.end()) {
    return answer(unique, -ENOENT);
  }
  if (!found->second->is_monitor) {
    return answer(unique, -EPERM);
  }
  forget(*found->second);
  parent.children.erase(found);
  answer(unique, 0);
}

void list(uint64_t unique, const Node& node, uint64_t offset, uint32_t size) {
  std::string out;
  uint64_t at = 0;
  for (const auto& [name, child] : node.children) {
    if (at++ < offset) {
      continue;
    }
    fuse_dirent one = {};
    one.ino = child->id;
    one.off = at;
    one.namelen = static_cast<uint32_t>(name.size());
    one.type = child->directory ? DT_DIR : DT_REG;
    const size_t room = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + name.size());
    if (out.size() + room > size) {
      break;
    }
    std::string bytes(reinterpret_cast<const char*>(&one), FUSE_NAME_OFFSET);
    bytes += name;
    bytes.resize(room);
    out += bytes;
  }
  answer(unique, 0, out.data(), out.size());
}

void write_file(uint64_t unique, Node& node, const std::string& text) {
  int result = -EPERM;
  if (node.name == "schemata") {
    result = write_schemata(node, text);
  } else if (node.name == "tasks") {
    result = write_tasks(node, text);
  }
  if (result < 0) {
    return answer(unique, result);
  }
  fuse_write_out out = {};
  out.size = static_cast<uint32_t>(result);
  answer_with(unique, out);
}

void read_file(uint64_t unique, const Node& node, const fuse_read_in& in) {
  const std::string part = in.offset < node.content.size() ? node.content.substr(in.offset, in.size) : "";
  answer(unique, 0, part.data(), part.size());
}

void serve(const fuse_in_header& header, const char* body) {
  const uint64_t unique = header.unique;
  if (header.opcode == FUSE_INIT) {
    fuse_init_out out = {};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = FUSE_KERNEL_MINOR_VERSION;
    out.max_write = 65536;
    return answer_with(unique, out);
  }
  if (header.opcode == FUSE_FORGET || header.opcode == FUSE_BATCH_FORGET || header.opcode == FUSE_INTERRUPT) {
    return;
  }
  const auto found = g_nodes.find(header.nodeid);
  if (found == g_nodes.end()) {
    return answer(unique, -ENOENT);
  }
  Node& node = *found->second;
  switch (header.opcode) {
    case FUSE_LOOKUP: {
      const auto child = node.children.find(body);
      return child == node.children.end() ? answer(unique, -ENOENT)
                                          : answer_with(unique, entry(*child->second));
    }
    case FUSE_GETATTR:
    case FUSE_SETATTR: {
      fuse_attr_out out = {};
      out.attr = attributes(node);
      return answer_with(unique, out);
    }
    case FUSE_MKDIR:
      return make(unique, node, body + sizeof(fuse_mkdir_in));
    case FUSE_RMDIR:
      return remove(unique, node, body);
    case FUSE_OPEN:
    case FUSE_OPENDIR: {
      fuse_open_out out = {};
      out.open_flags = FOPEN_DIRECT_IO;
      return answer_with(unique, out);
    }
    case FUSE_READ:
      return read_file(unique, node, *reinterpret_cast<const fuse_read_in*>(body));
    case FUSE_READDIR: {
      const auto& in = *reinterpret_cast<const fuse_read_in*>(body);
      return list(unique, node, in.offset, in.size);
    }
    case FUSE_WRITE: {
      const auto& in = *reinterpret_cast<const fuse_write_in*>(body);
      return write_file(unique, node, std::string(body + sizeof in, in.size));
    }
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FLUSH:
    case FUSE_ACCESS:
      return answer(unique, 0);
    case FUSE_STATFS:
      return answer_with(unique, fuse_statfs_out{});
    default:
      return answer(unique, -ENOSYS);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: fakeresctrl DIRECTORY\n");
    return 2;
  }
  g_root.id = FUSE_ROOT_ID;
  g_root.directory = true;
  g_nodes[FUSE_ROOT_ID] = &g_root;
  fill_info(*add(g_root, "info", true));
  fill_class(g_root);
  g_fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  const std::string options = "fd=" + std::to_string(g_fuse) + ",rootmode=40000,user_id=0,group_id=0";
  if (g_fuse < 0 || mount("resctrl", argv[1], "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    perror("fakeresctrl: mount");
    return 1;
  }
  puts("ready");
  fflush(stdout);
  alignas(fuse_in_header) static char request[1 << 18];
  for (;;) {
    const ssize_t got = read(g_fuse, request, sizeof request);
    if (got < 0 && (errno == EINTR || errno == ENOENT)) {
      continue;
    }
    if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) {
      return got < 0 && errno == ENODEV ? 0 : 1;  // unmounted
    }
    serve(*reinterpret_cast<const fuse_in_header*>(request), request + sizeof(fuse_in_header));
  }
}
