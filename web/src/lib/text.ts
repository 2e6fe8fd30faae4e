// Text inside other text.

// One word of a POSIX shell.
export const shellQuoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

// A name in SQL, whatever it is: a keyword too.
export const sqlName = (name: string) => `"${name.replaceAll('"', '""')}"`;
