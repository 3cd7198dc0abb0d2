import { NotebookActions } from '@jupyterlab/notebook';
import { screen, within } from '@testing-library/dom';
import userEvent from '@testing-library/user-event';
import { axe, toHaveNoViolations } from 'jest-axe';

import type { AnswerCell } from '../../types';
import { Bench, FakeKernel, FakeNotebook, settled, sights } from './bench';
import { answer, finding, line, rehearsed, story } from './examples';

jest.mock('@jupyterlab/notebook', () => ({ NotebookActions: { runCells: jest.fn() } }));
expect.extend(toHaveNoViolations);

const runCells = NotebookActions.runCells as jest.Mock;
beforeEach(() => {
  document.body.replaceChildren();
  sights.length = 0;
  runCells.mockReset().mockResolvedValue(true);
});

const button = (name: string) => screen.getByRole('button', { name });
const user = userEvent.setup();

describe('keys', () => {
  test('arrow keys, Home and End move between tabs', async () => {
    await new Bench().drawn(answer({ findings: [finding()], rehearsal: rehearsed() }));
    screen.getByRole('tab', { name: 'Code' }).focus();
    const selected = () => screen.getByRole('tab', { selected: true }).textContent;
    await user.keyboard('{ArrowRight}');
    expect(selected()).toBe('Findings (1)');
    await user.keyboard('{End}');
    expect(selected()).toBe('Trace');
    await user.keyboard('{ArrowRight}');
    expect(selected()).toBe('Code');
    await user.keyboard('{ArrowLeft}{ArrowLeft}');
    expect(selected()).toBe('Sandbox');
    expect(screen.getByRole('tab', { selected: true })).toHaveFocus();
    expect(screen.getByRole('tabpanel')).toHaveAccessibleName('Sandbox');
  });

  test('the toolbar is one stop, and arrow keys move in it', async () => {
    await new Bench().drawn(answer());
    const stops = within(screen.getByRole('toolbar'))
      .getAllByRole('button')
      .filter(one => one.tabIndex === 0);
    expect(stops).toEqual([button('Edit and run')]);
    stops[0].focus();
    await user.keyboard('{ArrowRight}');
    expect(button('Insert as cell')).toHaveFocus();
    await user.keyboard('{End}');
    expect(button('Why')).toHaveFocus();
  });
});

describe('buttons', () => {
  test('Run puts the code into a cell below and runs it', async () => {
    const bench = new Bench();
    await bench.drawn(answer({ state: 'shown' }));
    await user.click(button('Run'));
    expect(bench.notebook!.inserted).toEqual([{ index: 1, source: 'x = 1\nprint(x)' }]);
    const [notebook, cells, session] = runCells.mock.calls[0];
    expect(notebook).toBe(bench.notebook!.content);
    expect(cells).toEqual([bench.notebook!.content.widgets[1]]);
    expect(session).toBe(bench.notebook!.sessionContext);
  });

  test('Insert as cell does not run it', async () => {
    const bench = new Bench();
    await bench.drawn(answer());
    await user.click(button('Insert as cell'));
    expect(bench.notebook!.inserted).toHaveLength(1);
    expect(bench.notebook!.content.activeCellIndex).toBe(1);
    expect(runCells).not.toHaveBeenCalled();
  });

  test('Edit and run runs what was edited', async () => {
    const bench = new Bench();
    const renderer = await bench.drawn(answer());
    await user.click(button('Edit and run'));
    const editor = screen.getByRole('textbox', { name: 'Code to run' });
    expect(editor).toHaveFocus();
    expect(await axe(renderer.node)).toHaveNoViolations();
    await user.type(editor, '\ny = 2');
    await user.click(button('Run edited'));
    expect(bench.notebook!.inserted[0].source).toBe('x = 1\nprint(x)\ny = 2');
    expect(runCells).toHaveBeenCalledTimes(1);
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  test('Shift+Enter runs what was edited, Escape leaves it', async () => {
    const bench = new Bench();
    await bench.drawn(answer());
    await user.click(button('Edit and run'));
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('textbox')).toBeNull();
    await user.click(button('Edit and run'));
    await user.keyboard('{Shift>}{Enter}{/Shift}');
    expect(bench.notebook!.inserted).toHaveLength(1);
  });

  test.each([
    ['in an untrusted notebook', {}, false],
    ['of another kernel', { session: 'another' }, true]
  ])('nothing runs with one press %s', async (_, known, trusted) => {
    const bench = new Bench();
    const cell = answer({ state: 'shown', ...known });
    const { node } = await bench.drawn(cell, {}, trusted);
    for (const name of ['Run', 'Edit and run']) {
      expect(button(name)).toHaveAttribute('aria-disabled', 'true');
      await user.click(button(name));
    }
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(bench.notebook!.inserted).toEqual([]);
    expect(runCells).not.toHaveBeenCalled();
    expect(await axe(node)).toHaveNoViolations();
    await user.click(button('Insert as cell'));
    expect(bench.notebook!.inserted).toEqual([{ index: 1, source: cell.text }]);
    expect(runCells).not.toHaveBeenCalled();
  });

  test('an editor that is open is no way round', async () => {
    const bench = new Bench();
    const cell = answer();
    await bench.drawn(cell);
    await user.click(button('Edit and run'));
    const other = new Bench();
    const { node } = await other.drawn({ ...cell, text: 'y = 2' }, {}, false);
    expect(within(node).queryByRole('textbox')).toBeNull();
    bench.notebook!.becomes(new FakeKernel('another'));
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  test('Undo asks the kernel, and shows what it said and the answer as it is then', async () => {
    const bench = new Bench();
    const cell = answer();
    const renderer = await bench.drawn(cell);
    const undone = { 'application/vnd.llmos.answer+json': { ...cell, state: 'undone' } };
    const { kernel } = bench.notebook!;
    kernel!.replies = [
      { type: 'stream', content: { text: 'Removed `x`.\n' } },
      { type: 'update_display_data', content: { data: undone, metadata: {} } },
      {
        type: 'update_display_data',
        content: { data: { 'text/plain': 'of others' }, metadata: {} }
      }
    ];
    await user.click(button('Undo'));
    await settled();
    expect(kernel!.requested).toEqual([
      { code: '%llmos undo 7', silent: false, store_history: false, stop_on_error: false }
    ]);
    expect(renderer.node).toHaveTextContent(/^undone.*Removed x\.$/);
  });

  test.each([
    ['AnswerFailed', 'Request 7 has nothing to undo.'],
    ['ModuleNotFoundError', 'ModuleNotFoundError: Request 7 has nothing to undo.']
  ])('an undo that raises %s is said', async (ename, said) => {
    const bench = new Bench();
    const { node } = await bench.drawn(answer());
    bench.notebook!.kernel!.replies = [
      { type: 'error', content: { ename, evalue: 'Request 7 has nothing to undo.' } }
    ];
    await user.click(button('Undo'));
    await settled();
    expect(node.querySelector('.jp-llmos-Answer-said')).toHaveTextContent(said);
  });

  test('a disabled button does nothing and says why', async () => {
    const bench = new Bench(new FakeNotebook(new FakeKernel('another')));
    await bench.drawn(answer());
    expect(button('Undo')).toHaveAttribute('aria-disabled', 'true');
    expect(button('Undo')).toHaveAttribute('title', expect.stringContaining('Another kernel'));
    await user.click(button('Undo'));
    expect(bench.notebook!.kernel!.requested).toEqual([]);
  });

  test('buttons follow the kernel', async () => {
    const bench = new Bench(new FakeNotebook(null));
    await bench.drawn(answer({ state: 'shown' }));
    expect(button('Run')).toHaveAttribute('aria-disabled', 'true');
    bench.notebook!.becomes(new FakeKernel());
    expect(button('Run')).not.toHaveAttribute('aria-disabled');
  });

  test('a thumb is given, and taken back', async () => {
    const bench = new Bench();
    const cell = answer();
    const { node } = await bench.drawn(cell);
    bench.daemon.answers = { '/feedback': { feedback: 'up' } };
    await user.click(button('Good answer'));
    expect(button('Good answer')).toHaveAttribute('aria-pressed', 'true');
    bench.daemon.answers = { '/feedback': { feedback: '' } };
    await user.click(button('Good answer'));
    expect(button('Good answer')).toHaveAttribute('aria-pressed', 'false');
    const path = `tasks/${cell.task}/feedback`;
    expect(bench.daemon.posted).toEqual([
      [path, { feedback: 'up' }],
      [path, { feedback: '' }]
    ]);
    bench.daemon.answers = {};
    await user.click(button('Bad answer'));
    expect(node).toHaveTextContent('No daemon is running.');
    expect(button('Bad answer')).toHaveAttribute('aria-pressed', 'false');
  });

  test('the thumb that was given is asked for when the user comes near', async () => {
    const bench = new Bench(new FakeNotebook(null));
    const cell = answer();
    bench.daemon.answers = { [cell.task]: { task: { feedback: 'down' } } };
    const { node } = await bench.drawn(cell);
    sights.forEach(sight => sight(true));
    expect(bench.daemon.got).toEqual([]);
    await user.hover(node);
    await settled();
    expect(bench.daemon.got).toEqual([`tasks/${cell.task}`]);
    expect(button('Bad answer')).toHaveAttribute('aria-pressed', 'true');
  });

  test('and already when it is in sight, as soon as its kernel is known to be there', async () => {
    const bench = new Bench(new FakeNotebook(null));
    const cell = answer();
    bench.daemon.answers = { [cell.task]: { task: { feedback: 'up' } } };
    await bench.drawn(cell);
    sights.forEach(sight => sight(true));
    bench.notebook!.becomes(new FakeKernel());
    await settled();
    expect(button('Good answer')).toHaveAttribute('aria-pressed', 'true');
  });

  test('Stop cancels the task', async () => {
    const bench = new Bench();
    const cell = answer({ state: 'writing' });
    bench.daemon.answers = { '/cancel': {} };
    await bench.drawn(cell);
    bench.notebook!.cell.model.executionState = 'running';
    await user.click(button('Stop'));
    expect(bench.daemon.posted).toEqual([[`tasks/${cell.task}/cancel`, undefined]]);
    expect(bench.notebook!.kernel!.interrupt).not.toHaveBeenCalled();
  });

  test.each<[string, Partial<AnswerCell>, boolean, boolean]>([
    ["its code runs in the answer's own cell", { state: 'running' }, true, true],
    ['there is no task yet', { state: 'waiting', task: '' }, false, true],
    ['the daemon does not answer', { state: 'writing' }, false, true]
  ])('Stop interrupts the kernel where %s', async (_, known, answers, interrupts) => {
    const bench = new Bench();
    bench.daemon.answers = answers ? { '/cancel': {} } : {};
    await bench.drawn(answer(known));
    bench.notebook!.cell.model.executionState = 'running';
    await user.click(button('Stop'));
    await settled();
    expect(bench.notebook!.kernel!.interrupt).toHaveBeenCalledTimes(interrupts ? 1 : 0);
  });

  test('Stop does not interrupt what another cell runs', async () => {
    const bench = new Bench();
    bench.daemon.answers = { '/cancel': {} };
    await bench.drawn(answer({ state: 'running' }));
    await user.click(button('Stop'));
    await settled();
    expect(bench.notebook!.kernel!.interrupt).not.toHaveBeenCalled();
  });

  test('Why opens the trace, and says in one sentence what keeps it from being read', async () => {
    const bench = new Bench();
    const cell = answer();
    const renderer = await bench.drawn(cell);
    await user.click(button('Why'));
    await settled();
    expect(screen.getByRole('tab', { name: 'Trace' })).toHaveFocus();
    expect(screen.getByRole('tabpanel')).toHaveTextContent('No daemon is running.');
    const inspection = line({ what: 'Inspection: 1 finding', findings: [finding()] });
    bench.daemon.answers = {
      [`tasks/${cell.task}/story`]: story({ why: ['qwen wrote.'], lines: [inspection] })
    };
    await user.click(screen.getByRole('tab', { name: 'Code' }));
    await user.click(button('Why'));
    await settled();
    expect(screen.getByRole('tabpanel')).toHaveTextContent(
      'qwen wrote.+1.0 s Inspection: 1 findingerror line 2: there is no name y'
    );
    expect(await axe(renderer.node)).toHaveNoViolations();
  });

  test('nothing is asked of an answer that has no text yet, until the user wants to know why', async () => {
    const bench = new Bench();
    await bench.drawn(answer({ state: 'waiting', text: '' }));
    expect(screen.queryByRole('tab')).toBeNull();
    expect(bench.daemon.got).toEqual([]);
    await user.click(button('Why'));
    expect(screen.getByRole('tab', { name: 'Trace' })).toHaveFocus();
  });

  test('Confidence shades the code of all answers, and is remembered', async () => {
    const bench = new Bench();
    const renderer = await bench.drawn(answer({ confidence: [[1, 0.62]] }));
    const other = await bench.drawn(answer({ confidence: [[1, 0.5]] }));
    const toggle = within(renderer.node).getByRole('button', { name: 'Confidence' });
    expect(toggle).toHaveAttribute('aria-pressed', 'false');
    await user.click(toggle);
    expect(toggle).toHaveAttribute('aria-pressed', 'true');
    expect(within(renderer.node).getByTitle('62 %')).toHaveTextContent('x');
    expect(within(other.node).getByTitle('50 %')).toHaveTextContent('x');
    expect(await axe(renderer.node)).toHaveNoViolations();
  });

  test('there is no Confidence where the model tells none', async () => {
    await new Bench().drawn(answer());
    expect(screen.queryByRole('button', { name: 'Confidence' })).toBeNull();
  });

  test("outside a notebook there are only the daemon's buttons", async () => {
    await new Bench(null).drawn(answer());
    expect(
      within(screen.getByRole('toolbar'))
        .getAllByRole('button')
        .map(one => one.getAttribute('aria-label') ?? one.textContent)
    ).toEqual(['Good answer', 'Bad answer', 'Why']);
  });
});
