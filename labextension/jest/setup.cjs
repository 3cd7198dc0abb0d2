require('@testing-library/jest-dom');

// What every browser has and jsdom has not; JupyterLab's modules ask for them when they are loaded.
globalThis.ResizeObserver ??= class ResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
};
globalThis.PointerEvent ??= class PointerEvent extends MouseEvent {};
globalThis.DragEvent ??= class DragEvent extends MouseEvent {};
window.matchMedia ??= query => ({
  matches: false,
  media: query,
  addEventListener() {},
  removeEventListener() {}
});
