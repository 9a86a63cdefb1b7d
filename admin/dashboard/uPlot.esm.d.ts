// uPlot's module, which the server puts beside ours.

export { default } from 'uplot';
