#!/bin/sh
echo asleep
sleep 600
