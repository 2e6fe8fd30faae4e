// Looks again and again: never while the page is hidden, nor while the look before is under way. Ends by what it returns.
export function every(ms: number, look: () => Promise<void> | void): () => void {
  let busy = false;
  const timer = setInterval(async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      await look();
    } finally {
      busy = false;
    }
  }, ms);
  return () => clearInterval(timer);
}
