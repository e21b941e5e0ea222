// Light and dark: the system's choice until the button is used.

const KEY = 'lafd-theme';

export function connectTheme(button) {
  const root = document.documentElement;
  const kept = read();
  if (kept) root.dataset.theme = kept;
  button.addEventListener('click', () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === 'dark'
      : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    write(root.dataset.theme);
  });
}

function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off
  }
}

function write(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // the choice holds until the page is closed
  }
}
