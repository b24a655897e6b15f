# Three products: the static executable that users and engines start, the addon by which node gives the process back to it,
# and the addon that compiles seccomp profiles, the only one that needs a library. None wants node's own flags, so those of node's common.gypi are taken out.
{
  'variables': {
    'warnings': ['-Wall', '-Wextra', '-Werror', '-Werror=switch'],
    'hardening': ['-fstack-protector-strong', '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=3', '<!@(node -p "({ x64: \'-fcf-protection\', arm64: \'-mbranch-protection=standard\' })[process.arch] ?? \'\'")'],
    'napi_include': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
    'napi_defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED'],
    # A tenth of the executable; a static one relocates itself, and the C library of it knows how to since glibc 2.36.
    'packed_relocations': ['<!@(node -p "const libc = process.report.getReport().header.glibcVersionRuntime; libc === undefined || libc.localeCompare(\'2.36\', \'en\', {numeric: true}) < 0 ? \'\' : \'-Wl,-z,pack-relative-relocs\'")'],
    # Where tools/anonymous-data.ts has variables copied (native/launcher/entry.cc).
    'entry': ['<!@(node -p "process.arch === \'x64\' ? \'-Wl,-e,tsrunc_entry\' : \'\'")'],
    # What the hot path needs lies side by side (bench/layout.ts). Paths are those of build/, where make links.
    'layout': ['-Wl,-T,../native/layout.ld', '-Wl,-Map,tsrunc.map'],
    'node_flags': ['-O3', '-pthread', '-std=gnu++17', '-Wno-unused-parameter', '-fno-omit-frame-pointer', '-rdynamic'],
  },
  'target_defaults': {
    'include_dirs': ['native'],
    'cflags!': ['<@(node_flags)'],
    'cflags_cc!': ['<@(node_flags)'],
    'ldflags!': ['<@(node_flags)'],
    'configurations': {
      'Release': {'cflags!': ['<@(node_flags)'], 'cflags_cc!': ['<@(node_flags)']},
      'Debug': {'cflags!': ['<@(node_flags)'], 'cflags_cc!': ['<@(node_flags)']},
    },
  },
  'targets': [
    {
      'target_name': 'tsrunc',
      'type': 'executable',
      'sources': [
        '<!@(node -p "[\'sys\',\'wire\',\'engine\',\'engine/host\',\'engine/init\',\'launcher\',\'shim\'].flatMap((d) => fs.readdirSync(\'native/\' + d).filter((f) => f.endsWith(\'.cc\')).sort().map((f) => \'native/\' + d + \'/\' + f)).join(\' \')")',
        'native/addon/sha256.cc',
      ],
      'defines!': ['BUILDING_NODE_EXTENSION', 'USING_UV_SHARED=1', 'USING_V8_SHARED=1'],
      'defines': [
        'TSRUNC_NODE="<!(node -p process.execPath)"',
        'TSRUNC_VERSION="<!(node -p "require(\'./package.json\').version")"',
        'TSRUNC_COMMIT="<!(git rev-parse HEAD 2>/dev/null || true)"',
      ],
      'cflags!': ['-fPIC'],
      'cflags': ['<@(warnings)', '<@(hardening)', '-Os', '-fPIE', '-ffunction-sections', '-fdata-sections', '-fno-asynchronous-unwind-tables'],
      'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics'],
      'ldflags': ['-static-pie', '-Wl,--gc-sections', '-Wl,-z,relro,-z,now,-z,noexecstack', '-Wl,--build-id=none', '-s', '<@(packed_relocations)', '<@(layout)', '<@(entry)'],
    },
    {
      'target_name': 'tsrunc_addon',
      'type': 'loadable_module',
      'sources': [
        '<!@(node -p "fs.readdirSync(\'native/addon\').filter((f) => f.endsWith(\'.cc\')).sort().map((f) => \'native/addon/\' + f).join(\' \')")',
        'native/engine/state_lock.cc',
        'native/launcher/handoff.cc',
        'native/launcher/host_namespaces.cc',
        'native/launcher/kept_facts.cc',
        'native/launcher/kept_plans.cc',
        'native/launcher/log_socket.cc',
        'native/launcher/repeated_plan.cc',
        'native/launcher/sealed.cc',
        'native/sys/crc32c.cc',
        'native/sys/small_file.cc',
      ],
      'include_dirs': ['<@(napi_include)'],
      'defines': ['<@(napi_defines)'],
      'cflags': ['<@(warnings)', '<@(hardening)', '-O2', '-fPIC', '-fvisibility=hidden'],
      'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti'],
      'ldflags': ['-Wl,-z,relro,-z,now,-z,noexecstack'],
    },
    {
      'target_name': 'tsrunc_seccomp',
      'type': 'loadable_module',
      'sources': [
        '<!@(node -p "fs.readdirSync(\'native/addon/seccomp\').filter((f) => f.endsWith(\'.cc\')).sort().map((f) => \'native/addon/seccomp/\' + f).join(\' \')")',
        'native/addon/errors.cc',
        'native/launcher/sealed.cc',
      ],
      'include_dirs': ['<@(napi_include)'],
      'defines': ['<@(napi_defines)'],
      'cflags': ['<@(warnings)', '<@(hardening)', '-O2', '-fPIC', '-fvisibility=hidden'],
      'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti'],
      'ldflags': ['-Wl,-z,relro,-z,now,-z,noexecstack'],
      'libraries': ['-lseccomp'],
    },
  ],
}
