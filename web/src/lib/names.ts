// Tables are the same in any ASCII case.
export const folded = (name: string) => name.replace(/[A-Z]+/g, (part) => part.toLowerCase());
