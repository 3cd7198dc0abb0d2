import { keepKeys } from '../keys';

keepKeys();

/** Whether JupyterLab leaves this key to what has the focus. */
function left(key: string, modifiers: KeyboardEventInit = {}, where = 'button'): boolean {
  document.body.innerHTML =
    '<div class="jp-llmos-Answer"><button></button>' +
    '<div class="jp-llmos-Answer-editor"><textarea></textarea></div></div><input>';
  const target = document.querySelector(where)!;
  let suppressed = false;
  // As JupyterLab does: on the document, on its way down.
  const look = () => {
    suppressed = target.closest('[data-lm-suppress-shortcuts]') !== null;
  };
  document.addEventListener('keydown', look, true);
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...modifiers }));
  document.removeEventListener('keydown', look, true);
  return suppressed;
}

test('keys that press and move stay with the answer', () => {
  for (const key of ['Enter', ' ', 'ArrowLeft', 'ArrowDown', 'Home', 'Escape']) {
    expect([key, left(key)]).toEqual([key, true]);
  }
});

test('shortcuts stay shortcuts', () => {
  expect(left('b')).toBe(false);
  expect(left('Enter', { shiftKey: true })).toBe(false);
  expect(left('s', { ctrlKey: true })).toBe(false);
  expect(left('Enter', {}, 'input')).toBe(false);
});

test('in its editor all keys but saving are for the text', () => {
  expect(left('b', {}, 'textarea')).toBe(true);
  expect(left('Enter', { shiftKey: true }, 'textarea')).toBe(true);
  expect(left('z', { ctrlKey: true }, 'textarea')).toBe(true);
  expect(left('s', { ctrlKey: true }, 'textarea')).toBe(false);
});
