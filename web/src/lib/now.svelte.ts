// The time as words like "a minute ago" need it: it moves on by itself while somebody looks.
export const clock = $state({ now: Date.now() });

const tick = () => { if (!document.hidden) clock.now = Date.now(); };
setInterval(tick, 5000);
document.addEventListener('visibilitychange', tick);
