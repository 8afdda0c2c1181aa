#!/bin/sh
echo "55-dot.sh" >> /witness-order
