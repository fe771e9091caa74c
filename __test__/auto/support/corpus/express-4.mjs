import express from 'express4';
import { answerCorpus } from '../corpus.mjs';
import { corpusOfExpress } from './express.mjs';

await answerCorpus(corpusOfExpress(express, '/files/*'));
