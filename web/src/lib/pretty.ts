// JSON with a line for each member, to be read. Only the space between changes: JSON.parse would round large numbers.

const kLine = 60;
// An array without arrays and objects in it, which fits a line.
const shortArray = /^\[(?:[^[\]{}"\n]|"(?:[^"\\]|\\.)*")*\]/;
const emptyObject = /^\{\s*\}/;

export function pretty(text: string): string {
  let depth = 0;
  let out = '';
  const line = () => `\n${'  '.repeat(depth)}`;
  for (let i = 0; i < text.length; ++i) {
    const c = text[i]!;
    if (c === '"') {
      const start = i;
      for (++i; i < text.length && text[i] !== '"'; ++i) if (text[i] === '\\') ++i;
      out += text.slice(start, i + 1);
    } else if (c === '{' || c === '[') {
      const whole = (c === '[' ? shortArray : emptyObject).exec(text.slice(i, i + kLine))?.[0];
      if (whole !== undefined) {
        out += whole;
        i += whole.length - 1;
      } else {
        ++depth;
        out += c + line();
      }
    } else if (c === '}' || c === ']') {
      --depth;
      out += line() + c;
    } else if (c === ',') out += `,${line()}`;
    else if (c === ':') out += ': ';
    else if (!/\s/.test(c)) out += c;
  }
  return out;
}

// The same where it is JSON; else the text as it is.
export function prettyOr(text: string): string {
  try {
    JSON.parse(text);
    return pretty(text);
  } catch {
    return text;
  }
}
