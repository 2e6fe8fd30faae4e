// Light or dark: as the system has it, or as somebody chose.

export type Theme = 'system' | 'light' | 'dark';

const kKey = 'theme';

function stored(): Theme {
  const value = localStorage.getItem(kKey);
  return value === 'light' || value === 'dark' ? value : 'system';
}

export const theme = $state({ choice: stored() });

export function applyTheme() {
  if (theme.choice === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.choice;
}

export function chooseTheme(choice: Theme) {
  theme.choice = choice;
  if (choice === 'system') localStorage.removeItem(kKey);
  else localStorage.setItem(kKey, choice);
  applyTheme();
}
