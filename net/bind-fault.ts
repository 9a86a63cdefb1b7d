// Causes of addresses that can't be bound, as a text for messages. Thread: both.

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has it (EADDRINUSE)',
  EACCES: 'permission denied (EACCES); ports below 1024 need CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine has no such address (EADDRNOTAVAIL)',
  ENOENT: 'its directory does not exist (ENOENT)',
  ENOTDIR: 'a part of its path is no directory (ENOTDIR)',
  EROFS: 'its file system is read-only (EROFS)',
  ENOSPC: 'no space left on the disk (ENOSPC): free some',
  EMFILE: 'out of file descriptors (EMFILE): raise LimitNOFILE or ulimit -n',
  ENOTFOUND: 'its host name does not resolve (ENOTFOUND)',
};

/** Continues "X can't be bound to ADDRESS: ". */
export function bindFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return CAUSES[code ?? ''] ?? code ?? message;
}
