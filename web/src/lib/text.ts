// Text inside other text.

// One word of a POSIX shell.
export const shellQuoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
