// An app with what nobody acknowledged, a bucket without access log: its synthesis must fail.
import { App, Stack } from "aws-cdk-lib";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { applyChecks } from "./checks.ts";

const app = new App();
new Bucket(new Stack(app, "Finding"), "Bucket");
applyChecks(app);
app.synth();
