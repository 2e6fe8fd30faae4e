// A key that asked too often: what looks by itself rests, so that it leaves something to who asks.
let restsUntil = 0;
export function rest(ms: number) {
  restsUntil = Math.max(restsUntil, performance.now() + ms);
}

// Looks again and again: never while the page is hidden, nor while the look before is under way. Ends by what it returns.
export function every(ms: number, look: () => Promise<void> | void): () => void {
  let busy = false;
  const timer = setInterval(async () => {
    if (busy || document.hidden || performance.now() < restsUntil) return;
    busy = true;
    try {
      await look();
    } finally {
      busy = false;
    }
  }, ms);
  return () => clearInterval(timer);
}
