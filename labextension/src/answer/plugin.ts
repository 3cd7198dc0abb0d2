/** The plugin that draws answers in outputs. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISessionContextDialogs } from '@jupyterlab/apputils';
import { CodeEditor, IEditorServices } from '@jupyterlab/codeeditor';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';

import { Daemon } from '../request';
import { Clock } from './clock';
import type { Highlight } from './codeblock';
import { ANSWER_MIME } from './data';
import type { MakeEditor } from './editor';
import { keepKeys } from './keys';
import { MARKDOWN_MIME } from './markdown';
import { Preferences } from './preferences';
import { AnswerRenderer } from './renderer';

/** Before Markdown (60) and HTML (50), which the same display carries for other front ends. */
const RANK = 10;
const PYTHON = 'text/x-ipython';

export const answerPlugin: JupyterFrontEndPlugin<void> = {
  id: 'llmos-jupyter:answer',
  description: 'Draws the answers of %%llmos cells.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  // Where there are no notebooks, answers are drawn all the same, without the buttons that need one.
  optional: [
    INotebookTracker,
    IEditorServices,
    IEditorLanguageRegistry,
    ISessionContextDialogs,
    IStateDB,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    tracker: INotebookTracker | null,
    editors: IEditorServices | null,
    languages: IEditorLanguageRegistry | null,
    dialogs: ISessionContextDialogs | null,
    state: IStateDB | null,
    translator: ITranslator | null
  ) => {
    const settings = app.serviceManager.serverSettings;
    const shared = {
      daemon: new Daemon(settings),
      clock: new Clock(settings),
      preferences: new Preferences(state),
      highlight: highlighter(languages),
      makeEditor: editors && editorMaker(editors),
      tracker,
      runWith: { dialogs: dialogs ?? undefined, translator: translator ?? undefined }
    };
    keepKeys();
    rendermime.addFactory(
      {
        // It draws text as text, whoever wrote it.
        safe: true,
        mimeTypes: [ANSWER_MIME],
        createRenderer: options =>
          new AnswerRenderer({
            ...shared,
            makeMarkdown: () =>
              rendermime
                .getFactory(MARKDOWN_MIME)!
                .createRenderer({ ...options, mimeType: MARKDOWN_MIME }),
            typesetter: options.latexTypesetter
          })
      },
      RANK
    );
  }
};

/** Colours of code, by JupyterLab's own highlighter. */
function highlighter(languages: IEditorLanguageRegistry | null): Highlight {
  return async code => {
    const drawn = document.createElement('code');
    if (languages) {
      await languages.highlight(code, languages.findBest(PYTHON), drawn);
    } else {
      drawn.textContent = code;
    }
    return Array.from(drawn.childNodes, node => ({
      text: node.textContent ?? '',
      className: node instanceof Element ? node.className : ''
    }));
  };
}

function editorMaker(editors: IEditorServices): MakeEditor {
  return (host, text, onChange) => {
    const model = new CodeEditor.Model({ mimeType: PYTHON });
    model.sharedModel.setSource(text);
    model.sharedModel.changed.connect(onChange);
    const editor = editors.factoryService.newInlineEditor({ host, model });
    host.querySelector('.cm-content')?.setAttribute('aria-label', 'Code to run');
    return {
      get text() {
        return model.sharedModel.getSource();
      },
      focus: () => editor.focus(),
      dispose: () => {
        editor.dispose();
        model.dispose();
      }
    };
  };
}
