import { LabIcon } from '@jupyterlab/ui-components';

import svg from '../style/icon.svg';

export const llmosIcon = new LabIcon({ name: 'llmos:icon', svgstr: svg });
