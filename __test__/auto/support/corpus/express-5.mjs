import express from 'express';
import { answerCorpus } from '../corpus.mjs';
import { corpusOfExpress } from './express.mjs';

await answerCorpus(corpusOfExpress(express, '/files/*path'));
