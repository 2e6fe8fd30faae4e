// Runs a program on a kernel that seems to lack some system calls:  older_kernel CALL[,CALL…]
// PROGRAM [ARGUMENTS…]
#include <seccomp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  std::string names = argv[1];
  for (char* name = std::strtok(names.data(), ","); name != nullptr;
       name = std::strtok(nullptr, ",")) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR ||
        seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), call, 0) != 0) {
      std::fprintf(stderr, "no system call %s\n", name);
      return 2;
    }
  }
  if (seccomp_load(context) != 0) return 2;
  ::execv(argv[2], argv + 2);
  std::perror(argv[2]);
  return 2;
}
