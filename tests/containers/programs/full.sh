#!/bin/sh
# fills a tmpfs whose size is limited, as a disk would be
exec dd if=/dev/zero of=/dev/shm/file bs=1M
