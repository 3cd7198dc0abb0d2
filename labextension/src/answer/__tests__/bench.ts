/** A notebook and a daemon in place of the real ones, for tests of what is drawn and pressed. */
import { MimeModel, RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import type { AnswerDaemon } from '../actions';
import { ANSWER_MIME } from '../data';
import type { MakeEditor } from '../editor';
import { Preferences } from '../preferences';
import { AnswerRenderer, type AnswerTools } from '../renderer';
import { KERNEL } from './examples';

/** What watches whether an answer is in sight, each to be told. */
export const sights: ((seen: boolean) => void)[] = [];

// jsdom lays nothing out, so nothing is ever in sight.
globalThis.IntersectionObserver = class {
  constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
    sights.push(isIntersecting => callback([{ isIntersecting }]));
  }
  observe() {}
  disconnect() {}
} as unknown as typeof IntersectionObserver;

/** A kernel that answers a request with these messages. */
export class FakeKernel {
  constructor(readonly id = KERNEL) {}

  readonly iopubMessage = new Signal<this, unknown>(this);
  readonly interrupt = jest.fn(() => Promise.resolve());
  readonly requested: unknown[] = [];
  replies: { type: string; content: unknown }[] = [];

  requestExecute(content: unknown) {
    this.requested.push(content);
    const future = {
      onIOPub: undefined as unknown as (message: unknown) => void,
      dispose: () => undefined,
      done: Promise.resolve().then(() => {
        for (const { type, content } of this.replies) {
          const message = { header: { msg_type: type }, content };
          if (type !== 'update_display_data') {
            future.onIOPub(message);
          }
          this.iopubMessage.emit(message);
        }
      })
    };
    return future;
  }
}

/** A notebook with one cell, which holds the answer. */
export class FakeNotebook {
  constructor(public kernel: FakeKernel | null = new FakeKernel()) {
    this.content.node.append(this.cell.node);
    this.panel.content = this.content;
    document.body.append(this.content.node);
  }

  readonly cell = {
    node: document.createElement('div'),
    model: { type: 'code', executionState: 'idle' }
  };
  readonly inserted: { index: number; source: string }[] = [];
  readonly content = {
    node: document.createElement('div'),
    widgets: [this.cell] as unknown[],
    activeCellIndex: 0,
    activate: jest.fn(),
    deselectAll: jest.fn(),
    scrollToItem: () => Promise.resolve(),
    model: {
      sharedModel: {
        insertCell: (index: number, cell: { source: string }) => {
          this.inserted.push({ index, source: cell.source });
          this.content.widgets.splice(index, 0, { node: document.createElement('div') });
        }
      }
    }
  };
  readonly sessionContext = {
    kernelChanged: new Signal<object, unknown>(this),
    statusChanged: new Signal<object, string>(this),
    session: {} as { kernel?: FakeKernel | null }
  };
  readonly panel = { content: {} as unknown, sessionContext: this.sessionContext };

  get tracker(): AnswerTools['tracker'] {
    this.sessionContext.session.kernel = this.kernel;
    const find = (test: (panel: unknown) => boolean) => [this.panel].find(test);
    return { find } as unknown as AnswerTools['tracker'];
  }

  becomes(kernel: FakeKernel | null): void {
    this.sessionContext.session.kernel = kernel;
    this.sessionContext.kernelChanged.emit(null);
  }
}

export class FakeDaemon implements AnswerDaemon {
  readonly posted: [string, unknown][] = [];
  readonly got: string[] = [];
  answers: Record<string, unknown> = {};

  get<T>(path: string): Promise<T> {
    this.got.push(path);
    return this.reply(path);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    this.posted.push([path, body]);
    return this.reply(path);
  }

  private reply<T>(path: string): Promise<T> {
    const [, answer] = Object.entries(this.answers).find(([end]) => path.endsWith(end)) ?? [];
    return answer === undefined
      ? Promise.reject(new Error('No daemon is running.'))
      : Promise.resolve(answer as T);
  }
}

/** An editor without colours. */
export const plainEditor: MakeEditor = (host, text, onChange) => {
  const area = document.createElement('textarea');
  area.setAttribute('aria-label', 'Code to run');
  area.value = text;
  area.addEventListener('input', onChange);
  host.append(area);
  return {
    get text() {
      return area.value;
    },
    focus: () => area.focus(),
    dispose: () => area.remove()
  };
};

/** Sanitises as in JupyterLab; the parser lets all HTML through, as Markdown does. */
const rendermime = new RenderMimeRegistry({
  initialFactories: standardRendererFactories,
  markdownParser: { render: source => Promise.resolve(`<p>${source}</p>`) }
});

export class Bench {
  constructor(readonly notebook: FakeNotebook | null = new FakeNotebook()) {}

  readonly daemon = new FakeDaemon();
  readonly preferences = new Preferences(null);
  now = 1000;

  private renderer(): AnswerRenderer {
    return new AnswerRenderer({
      daemon: this.daemon,
      tracker: this.notebook?.tracker ?? null,
      preferences: this.preferences,
      runWith: {},
      clock: { now: () => this.now },
      // As a highlighter does: words in spans, what is between them not.
      highlight: code =>
        Promise.resolve(
          (code.match(/\w+|\W+/g) ?? []).map(text => ({
            text,
            className: /\w/.test(text) ? 'word' : ''
          }))
        ),
      makeEditor: plainEditor,
      makeMarkdown: () => rendermime.createRenderer('text/markdown'),
      typesetter: null
    });
  }

  /** A renderer that has drawn this, and was put into the page then: that is how JupyterLab does it. */
  async drawn(
    cell: unknown,
    more: Record<string, string> = {},
    trusted = true
  ): Promise<AnswerRenderer> {
    const renderer = this.renderer();
    await draw(renderer, cell, more, trusted);
    Widget.attach(renderer, this.notebook?.cell.node ?? document.body);
    return renderer;
  }
}

/** What the kernel's next update does; returns the output's model. */
export async function draw(
  renderer: AnswerRenderer,
  cell: unknown,
  more: Record<string, string> = {},
  trusted = true
): Promise<MimeModel> {
  const model = new MimeModel({
    trusted,
    data: { [ANSWER_MIME]: cell as never, ...more },
    callback: () => void renderer.renderModel(model)
  });
  await renderer.renderModel(model);
  await settled();
  return model;
}

/** What was under way has come to its end. */
export async function settled(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 0));
}
