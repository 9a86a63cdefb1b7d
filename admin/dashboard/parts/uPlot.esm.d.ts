// uPlot's module, which the server places beside the dashboard's modules.

export { default } from 'uplot';
